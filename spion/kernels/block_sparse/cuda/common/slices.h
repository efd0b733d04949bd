// Problems with more heads, or heads further apart, than a launch bears: cut into slices, each a
// problem of its own. Private to this package.
//
// A launch's grid has heads along y and examples along z, and the kernels multiply their numbers by
// strides of 32 bits. So slices are of whole examples, or, where an example alone is too much, of
// some of its heads. Most problems are one slice; of more, each is a launch that fills a GPU.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SLICES_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SLICES_H_

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cuda_launch/parts.h"

namespace spion::cuda {

struct SliceLimits {
  int64_t rows;    // heads, and examples, of a slice
  int64_t stride;  // from one to the next, in elements
};

inline constexpr SliceLimits kGridLimits = {.rows = kMaxGridRows, .stride = (int64_t{1} << 32) - 1};

struct HeadSlice {
  int64_t first_example;
  int64_t examples;
  int64_t first_head;
  int64_t heads;
};

inline BlockSparseProblem SliceOf(const BlockSparseProblem& problem, const HeadSlice& slice) {
  BlockSparseProblem of = problem;
  of.batch = slice.examples;
  of.heads = slice.heads;
  if (of.padding.lengths != nullptr) of.padding.lengths += slice.first_example;
  if (of.padding.valid != nullptr) of.padding.valid += slice.first_example * problem.length;
  BlockPatternView& pattern = of.pattern;
  if (pattern.patterns == 1) return of;
  const int64_t n = pattern.blocks_per_side;
  pattern.patterns = static_cast<int32_t>(slice.heads);
  pattern.row_offsets += slice.first_head * (n + 1);
  pattern.column_offsets += slice.first_head * (n + 1);
  pattern.schedule.rows += slice.first_head * n;
  pattern.schedule.lines += 2 * slice.first_head * n;
  return of;
}

template <typename T>
HeadTensor<T> SliceOf(const HeadTensor<T>& tensor, const HeadSlice& slice) {
  HeadTensor<T> of = tensor;
  of.data = tensor.head(slice.first_example, slice.first_head);
  return of;
}

/// Of [B, H, L].
template <typename T>
T* SliceOf(T* rows, const BlockSparseProblem& problem, const HeadSlice& slice) {
  return rows + (slice.first_example * problem.heads + slice.first_head) * problem.length;
}

template <typename T>
BlockSparseForward<T> SliceOf(const BlockSparseForward<T>& call, const HeadSlice& slice) {
  return {.problem = SliceOf(call.problem, slice),
          .q = SliceOf(call.q, slice),
          .k = SliceOf(call.k, slice),
          .v = SliceOf(call.v, slice),
          .out = SliceOf(call.out, slice),
          .log_sum_exp = SliceOf(call.log_sum_exp, call.problem, slice)};
}

template <typename T>
BlockSparseBackward<T> SliceOf(const BlockSparseBackward<T>& call, const HeadSlice& slice) {
  return {.problem = SliceOf(call.problem, slice),
          .q = SliceOf(call.q, slice),
          .k = SliceOf(call.k, slice),
          .v = SliceOf(call.v, slice),
          .out = SliceOf(call.out, slice),
          .grad_out = SliceOf(call.grad_out, slice),
          .log_sum_exp = SliceOf(call.log_sum_exp, call.problem, slice),
          .grad_q = SliceOf(call.grad_q, slice),
          .grad_k = SliceOf(call.grad_k, slice),
          .grad_v = SliceOf(call.grad_v, slice)};
}

/// The largest of a call's strides.
struct WidestStrides {
  int64_t head = 0;
  int64_t batch = 0;

  template <typename... Tensors>
  explicit WidestStrides(const Tensors&... tensors)
      : head(std::max({tensors.head_stride...})), batch(std::max({tensors.batch_stride...})) {}
};
template <typename T>
WidestStrides StridesOf(const BlockSparseForward<T>& call) {
  return WidestStrides(call.q, call.k, call.v, call.out);
}
template <typename T>
WidestStrides StridesOf(const BlockSparseBackward<T>& call) {
  return WidestStrides(call.q, call.k, call.v, call.out, call.grad_out, call.grad_q, call.grad_k,
                       call.grad_v);
}

/// Calls launch(slice) for each, until one fails; returns its error.
template <class Call, class Launch>
cudaError_t InSlices(const Call& call, const SliceLimits& limits, Launch&& launch) {
  const WidestStrides strides = StridesOf(call);
  const int64_t heads = call.problem.heads;
  const int64_t max_heads = strides.head > limits.stride ? 1 : limits.rows;
  const bool is_one_enough = heads > max_heads || strides.batch > limits.stride;
  const int64_t max_examples = is_one_enough ? 1 : limits.rows;
  return InParts(call.problem.batch, max_examples, [&](int64_t first_example, int64_t examples) {
    return InParts(heads, max_heads, [&](int64_t first_head, int64_t some) {
      return launch(SliceOf(call, {first_example, examples, first_head, some}));
    });
  });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_SLICES_H_
