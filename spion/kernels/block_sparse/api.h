// Block-sparse attention, forward and backward, fused: scores and weights never reach memory. Raw
// pointers in, raw pointers out. No framework types; spion/ops wraps this for LibTorch.
//
// For row r with kept columns C_r (the columns of the blocks that the pattern keeps in r's block
// row) and valid (not padded) keys V:
//
//   s_rc = scale * q_r . k_c
//   p_rc = exp(s_rc) / Z_r                   for c in C_r and V, else 0
//   Z_r  = sum over C_r and V of exp(s_rc)  [+ L - |C_r|   with PrunedScore::kZero]
//   o_r  = sum over C_r of p_rc v_c
//
// kZero is SPION's softmax: a pruned entry counts as score 0 in the denominator. kExcluded is the
// ordinary masked softmax. A row with Z_r = 0 (nothing valid to attend to, and nothing pruned)
// gives o_r = 0 and zero gradients. Padded columns of kept blocks count in |C_r|, as in the
// reference, where they carry score -1e6: exp(-1e6) = 0.
//
// Shapes: B batch, H heads, L length, d head dimension, b block size, n = L / b. B and H are any
// number up to kMaxHeads in all; of none (B or H is 0) nothing is read or written.
// Source: SPION (arXiv 2309.12578) and its reference implementation; the fused form starts the
// online softmax (Milakov & Gimelshein 2018) at m = 0, Z = L - |C_r|, and recomputes P in the
// backward pass (Dao et al. 2022).
#ifndef SPION_KERNELS_BLOCK_SPARSE_API_H_
#define SPION_KERNELS_BLOCK_SPARSE_API_H_

#include "absl/status/status.h"
#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/problem.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion {

/// Checks sizes and the problem's pointers (not the indices behind them).
/// Errors: InvalidArgument naming the value, what is supported, and the way out.
absl::Status Validate(const BlockSparseProblem& problem);

namespace cpu {

/// Forward on the CPU, fp32, AVX-512, AVX2 or portable code as the processor allows. Temporaries
/// are of block-row size. Deterministic: the bits do not depend on the number of threads.
/// Errors: those of Validate; outputs are untouched then.
absl::Status Forward(const BlockSparseForward<float>& call, const ParallelFor& parallel);

/// Backward on the CPU: one pass over the kept blocks recomputes P and adds to all three
/// gradients. Deterministic for a fixed `parallel.threads`; extra memory only when there are
/// fewer heads (B * H) than threads.
/// Errors: those of Validate; outputs are untouched then.
absl::Status Backward(const BlockSparseBackward<float>& call, const ParallelFor& parallel);

}  // namespace cpu

namespace cuda {

/// Forward on the current CUDA device, queued on `stream`. T: Float16, BFloat16 or float; products
/// on the tensor cores with fp32 sums (float: as problem.float32 says), softmax in fp32. All
/// pointers are device pointers; rows are aligned to 16 bytes; the pattern has its schedule.
/// Neither allocates nor synchronises, so a CUDA graph may capture it. Deterministic.
///
/// One launch or several: long lines may have one of their own, and so has every slice of more
/// heads than a grid bears. All that can be refused is refused before the first of them.
/// Errors: those of Validate, InvalidArgument for a block size that a GPU does not take, alignment
/// or a missing schedule, Internal with CUDA's message if the device has not the shared memory;
/// outputs are untouched then. Internal also if a launch fails, be it for what ran on the device
/// before; outputs are undefined then.
template <typename T>
absl::Status Forward(const BlockSparseForward<T>& call, CUstream_st* stream);

/// How many floats Backward needs at `call.scratch`, for this problem on the current device; 0
/// where none. Of fp16 and bf16 on a GPU of compute capability 9.0, at d 64 and 128 with blocks of
/// 64 and 128, and at d 32 with blocks of 64 where lines keep twelve in the mean: two a row. In
/// blocks of 128 besides 32 KB for each kept block of some heads, a gigabyte at most; without
/// `deterministic`, at d 64, d for each row instead.
template <typename T>
int64_t BackwardScratchFloats(const BlockSparseProblem& problem, bool deterministic);

/// Backward: P of a kept block is recomputed for dQ and again for dK and dV, so that no sum is
/// shared between thread blocks; P of a diagonal block, whose row and column one thread block may
/// own, at least once. One launch or several, of up to three kernels. Otherwise as Forward.
///
/// Of fp16 and bf16 on a GPU of compute capability 9.0, at d 64 and 128 with blocks of 128, P is
/// computed once, and dS goes to dQ by way of scratch, rounded to T, where the pattern's `room` is
/// told and no more than a gigabyte is needed: deterministic all the same. At d 64, without
/// call.deterministic, dQ is added up in fp32 by atomics instead: its bits then differ from run to
/// run, those of dK and dV do not. Everything else is deterministic whatever is permitted. Errors:
/// besides, InvalidArgument for missing scratch.
template <typename T>
absl::Status Backward(const BlockSparseBackward<T>& call, CUstream_st* stream);

}  // namespace cuda
}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_API_H_
