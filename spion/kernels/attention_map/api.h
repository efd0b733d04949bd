// The mean attention map of the dense phase: A = the attention probabilities of full softmax
// attention, averaged over batch and heads, without ever holding B x H x L x L.
//
//   A[r][c] = 1 / (B H) * sum over b, h of softmax_c(scale * q_bhr . k_bhc)
//
// Padded keys have probability 0; a row whose keys are all padding adds 0. Padded queries count
// like any other, as in the reference. The mean over no heads (B or H is 0) is 0.
// Source: SPION, arXiv 2309.12578.
#ifndef SPION_KERNELS_ATTENTION_MAP_API_H_
#define SPION_KERNELS_ATTENTION_MAP_API_H_

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/kernels/attention_map/call.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion {

/// T: Float16, BFloat16 or float. `row_statistics` is not looked at.
/// Errors: InvalidArgument naming the value, what is supported, and the way out.
template <typename T>
absl::Status Validate(const AttentionMapCall<T>& call);

namespace cpu {

/// On the CPU, fp32; each task owns a band of rows of the map, so the result does not depend on
/// the number of threads. Temporaries: one band of scores a thread.
/// Errors: those of Validate; the map is untouched then.
absl::Status MeanAttentionMap(const AttentionMapCall<float>& call, const ParallelFor& parallel);

}  // namespace cpu

namespace cuda {

/// On the current CUDA device, queued on `stream`. T: Float16, BFloat16 or float; scores on the
/// tensor cores with fp32 sums (float: as call.float32 says), softmax and mean in fp32. All
/// pointers are device pointers; rows and the map are aligned to 16 bytes. Two launches: every
/// row's normaliser goes to `row_statistics`, then tiles of the map add up the heads'
/// probabilities. Neither allocates nor synchronises, so a CUDA graph may capture it.
/// Deterministic.
///
/// Errors: those of Validate, InvalidArgument for a scale that is not positive, alignment, strides
/// or missing row_statistics; the map is untouched then. Internal with CUDA's message if a launch
/// fails.
template <typename T>
absl::Status MeanAttentionMap(const AttentionMapCall<T>& call, CUstream_st* stream);

}  // namespace cuda
}  // namespace spion

#endif  // SPION_KERNELS_ATTENTION_MAP_API_H_
