// The mean attention map of the dense phase: A = the attention probabilities of full softmax
// attention, averaged over batch and heads, without ever holding B x H x L x L.
//
//   A[r][c] = 1 / (B H) * sum over b, h of softmax_c(scale * q_bhr . k_bhc)
//
// Padded keys have probability 0; a row whose keys are all padding adds 0. Padded queries count
// like any other, as in the reference.
// Source: spion.md, "Three phases", 1.
#ifndef SPION_KERNELS_ATTENTION_MAP_API_H_
#define SPION_KERNELS_ATTENTION_MAP_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/api.h"

namespace spion {

template <typename T>
struct AttentionMapCall {
  int64_t batch = 0;     // B
  int64_t heads = 0;     // H
  int64_t length = 0;    // L, any positive multiple of 16
  int64_t head_dim = 0;  // d: 16, 32, 64 or 128
  float scale = 1.0F;
  KeyPadding padding;
  HeadTensor<const T> q, k;
  float* map = nullptr;  // [L, L] contiguous, overwritten
};

/// Errors: InvalidArgument naming the value, what is supported, and the way out.
absl::Status Validate(const AttentionMapCall<float>& call);

namespace cpu {

/// On the CPU, fp32; each task owns a band of rows of the map, so the result does not depend on
/// the number of threads. Temporaries: one band of scores a thread.
/// Errors: those of Validate; the map is untouched then.
absl::Status MeanAttentionMap(const AttentionMapCall<float>& call, const ParallelFor& parallel);

}  // namespace cpu
}  // namespace spion

#endif  // SPION_KERNELS_ATTENTION_MAP_API_H_
