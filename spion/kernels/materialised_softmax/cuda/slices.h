// Calls of more rows than a grid has thread blocks: cut into slices, each a call of its own.
// Private to this package.
#ifndef SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SLICES_H_
#define SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SLICES_H_

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>

#include "spion/kernels/cuda_launch/parts.h"
#include "spion/kernels/materialised_softmax/api.h"

namespace spion::cuda {

/// Some rows of some examples, from first_row of first_example on.
struct RowSlice {
  int64_t first_example;
  int64_t examples;
  int64_t first_row;
  int64_t rows;
};

template <typename Call>
Call SizesOfSlice(const Call& call, const RowSlice& slice) {
  Call of = call;
  of.batch = slice.examples;
  of.rows = slice.rows;
  if (of.lengths != nullptr) of.lengths += slice.first_example;
  return of;
}

template <typename Call>
int64_t FirstScoreOf(const Call& call, const RowSlice& slice) {
  return (slice.first_example * call.rows + slice.first_row) * call.width;
}

inline SoftmaxForward SliceOf(const SoftmaxForward& call, const RowSlice& slice) {
  SoftmaxForward of = SizesOfSlice(call, slice);
  of.scores += FirstScoreOf(call, slice);
  of.probabilities += FirstScoreOf(call, slice);
  of.rounded += FirstScoreOf(call, slice);
  return of;
}

inline SoftmaxBackward SliceOf(const SoftmaxBackward& call, const RowSlice& slice) {
  SoftmaxBackward of = SizesOfSlice(call, slice);
  of.probabilities += FirstScoreOf(call, slice);
  of.grad += FirstScoreOf(call, slice);
  return of;
}

/// Calls launch(slice) for slices of whole examples, or of rows of one, of at most `most` rows,
/// until one fails; returns its error.
template <typename Call, class Launch>
cudaError_t InSlices(const Call& call, int64_t most, Launch&& launch) {
  if (call.rows == 0) return cudaSuccess;
  const int64_t max_examples = std::max<int64_t>(most / call.rows, 1);
  return InParts(call.batch, max_examples, [&](int64_t first_example, int64_t examples) {
    return InParts(call.rows, most, [&](int64_t first_row, int64_t rows) {
      return launch(SliceOf(call, {first_example, examples, first_row, rows}));
    });
  });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_MATERIALISED_SOFTMAX_CUDA_SLICES_H_
