// Block-sparse attention, forward and backward, as one fused pass each: raw pointers in, raw
// pointers out. No framework types; spion/ops wraps this for LibTorch.
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
// Shapes: B batch, H heads, L length, d head dimension, b block size, n = L / b.
// Source: spion.md "Sparse attention, forward" and "Backward"; the fused form starts the online
// softmax (Milakov & Gimelshein 2018) at m = 0, Z = L - |C_r|, and recomputes P in the backward
// pass (Dao et al. 2022).
#ifndef SPION_KERNELS_BLOCK_SPARSE_API_H_
#define SPION_KERNELS_BLOCK_SPARSE_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/base/parallel.h"

namespace spion {

/// What a pruned entry means to the softmax.
enum class PrunedScore { kZero, kExcluded };

/// A [B, H, L, d] tensor with unit stride along d; strides in elements. T may be const.
template <typename T>
struct HeadTensor {
  T* data = nullptr;
  int64_t batch_stride = 0;
  int64_t head_stride = 0;
  int64_t row_stride = 0;

  T* head(int64_t batch, int64_t head) const {
    return data + batch * batch_stride + head * head_stride;
  }
};

/// Block CSR and block CSC of one pattern, shared by all heads (patterns = 1), or of one pattern a
/// head (patterns = H), one after the other. Pattern p's block row i keeps the block columns
/// row_columns[row_offsets[p * (n + 1) + i] .. row_offsets[p * (n + 1) + i + 1]), ascending;
/// columns likewise. Offsets count from the start of the whole index array.
struct BlockPatternView {
  int32_t patterns = 1;
  int32_t blocks_per_side = 0;              // n
  const int32_t* row_offsets = nullptr;     // [patterns * (n + 1)]
  const int32_t* row_columns = nullptr;     // [kept]
  const int32_t* column_offsets = nullptr;  // [patterns * (n + 1)]
  const int32_t* column_rows = nullptr;     // [kept]
};

/// Which keys are padding. At most one of the two is given; none means no padding. Padded keys and
/// values must be finite all the same: they may be multiplied by probabilities of 0.
struct KeyPadding {
  const int32_t* lengths = nullptr;  // [B]: keys at and after lengths[b] are padding
  const uint8_t* valid = nullptr;    // [B, L] contiguous: 0 means padding
};

struct BlockSparseProblem {
  int64_t batch = 0;       // B
  int64_t heads = 0;       // H
  int64_t length = 0;      // L, a multiple of block_size
  int64_t head_dim = 0;    // d: 16, 32, 64 or 128
  int64_t block_size = 0;  // b: a multiple of 16 from 16 to 128
  float scale = 1.0F;      // usually 1 / sqrt(d)
  PrunedScore pruned = PrunedScore::kZero;
  BlockPatternView pattern;
  KeyPadding padding;
};

/// Checks sizes and the problem's pointers (not the indices behind them).
/// Errors: InvalidArgument naming the value, what is supported, and the way out.
absl::Status Validate(const BlockSparseProblem& problem);

template <typename T>
struct BlockSparseForward {
  BlockSparseProblem problem;
  HeadTensor<const T> q, k, v;
  HeadTensor<T> out;
  /// [B, H, L] contiguous: log Z_r, in natural-log units; +infinity where Z_r = 0, so that
  /// exp(s - lse) is 0 there. What the backward pass needs beside `out`.
  float* log_sum_exp = nullptr;
};

template <typename T>
struct BlockSparseBackward {
  BlockSparseProblem problem;
  HeadTensor<const T> q, k, v, out, grad_out;
  const float* log_sum_exp = nullptr;  // [B, H, L], from the forward pass
  HeadTensor<T> grad_q, grad_k, grad_v;
};

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
}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_API_H_
