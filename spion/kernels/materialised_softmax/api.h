// Softmax over materialised rows of attention scores, forward and backward, each in one pass over
// memory: what dense attention with its probabilities in memory is made of, besides matrix
// products.
#ifndef SPION_KERNELS_MATERIALISED_SOFTMAX_API_H_
#define SPION_KERNELS_MATERIALISED_SOFTMAX_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/common/number.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

// All pointers are device pointers to contiguous arrays, aligned to 16 bytes.

/// P = softmax(scale * S) over each row. Keys at and after an example's length have probability 0;
/// a row without any key (a length of 0 or less) has the same probability everywhere. A length
/// beyond the width counts as the width.
struct SoftmaxForward {
  int64_t batch;  // any number of examples, 0 too, likewise rows: of none nothing is done
  int64_t rows;   // of an example: heads * queries
  int64_t width;  // keys; see TakesScoreWidth
  float scale;
  const int32_t* lengths;  // [batch], or null: no padding
  const BFloat16* scores;  // [batch, rows, width]
  float* probabilities;    // [batch, rows, width]
  BFloat16* rounded;       // the same
};

/// dS = scale * P (dP - rowsum(P dP)), in place of dP; 0 where an example has no key, for its
/// probabilities are those whatever the scores.
struct SoftmaxBackward {
  int64_t batch;
  int64_t rows;
  int64_t width;
  float scale;
  const int32_t* lengths;  // as in the forward pass
  const float* probabilities;
  BFloat16* grad;
};

inline constexpr int64_t kScoresStep = 8;
inline constexpr int64_t kMaxScores = 8192;
constexpr bool TakesScoreWidth(int64_t width) {
  return width >= kScoresStep && width <= kMaxScores && width % kScoresStep == 0;
}

// Queue on `stream`, on the current device; neither allocate nor wait. Deterministic. Errors:
// InvalidArgument for sizes that are not supported, naming those that are, nothing written;
// Internal with CUDA's message if a launch fails.
absl::Status Run(const SoftmaxForward& call, CUstream_st* stream);
absl::Status Run(const SoftmaxBackward& call, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_MATERIALISED_SOFTMAX_API_H_
