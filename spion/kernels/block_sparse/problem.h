// The arguments of block-sparse attention, as plain structs: what host code fills in and device
// code reads. What is computed from them: api.h.
//
// Shapes: B batch, H heads, L length, d head dimension, b block size, n = L / b.
#ifndef SPION_KERNELS_BLOCK_SPARSE_PROBLEM_H_
#define SPION_KERNELS_BLOCK_SPARSE_PROBLEM_H_

#include <cstdint>

#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/key_padding.h"
#include "spion/kernels/common/number.h"

namespace spion {

/// What a pruned entry means to the softmax.
enum class PrunedScore { kZero, kExcluded };

/// One block row or block column: its kept blocks are indices[begin .. end) of the pattern's
/// row_columns or column_rows; first = indices[begin].
struct alignas(16) BlockLine {
  int32_t line;
  int32_t begin;
  int32_t end;
  int32_t first;
};

/// The order in which a GPU takes up a pattern's work: longest first, and the longest shared by the
/// warps of a thread block. See schedule.h, which makes it. Not read on the CPU.
struct BlockScheduleView {
  const BlockLine* rows = nullptr;   // [patterns * n], for the forward pass
  const BlockLine* lines = nullptr;  // [patterns * n][2]: row i, column i, for the backward pass
  int32_t long_rows = 0;             // the first so many of each pattern's rows are shared
  int32_t long_lines = 0;            // likewise of its lines
};

/// Block CSR and block CSC of one pattern, shared by all heads (patterns = 1), or of one pattern a
/// head (patterns = H), one after the other. Pattern p's block row i keeps the block columns
/// row_columns[row_offsets[p * (n + 1) + i] .. row_offsets[p * (n + 1) + i + 1]), ascending;
/// columns likewise. Offsets count from the start of the whole index array.
struct BlockPatternView {
  int32_t patterns = 1;
  int32_t blocks_per_side = 0;           // n
  int64_t room = 0;                      // kept blocks of all patterns, or some more; 0: not told
  const int32_t* row_offsets = nullptr;  // [patterns * (n + 1)]
  const int32_t* row_columns = nullptr;  // [kept]
  const int32_t* column_offsets = nullptr;  // [patterns * (n + 1)]
  const int32_t* column_rows = nullptr;     // [kept]
  BlockScheduleView schedule;
};

struct BlockSparseProblem {
  int64_t batch = 0;       // B
  int64_t heads = 0;       // H
  int64_t length = 0;      // L, a multiple of block_size
  int64_t head_dim = 0;    // d; see head_dim.h
  int64_t block_size = 0;  // b: a multiple of 16 from 16 to 128
  float scale = 1.0F;      // positive and finite; usually 1 / sqrt(d)
  PrunedScore pruned = PrunedScore::kZero;
  Float32Math float32 = Float32Math::kExact;
  BlockPatternView pattern;
  KeyPadding padding;
};

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
  /// False permits cuda::Backward to add up dQ in an order that differs from run to run, where it
  /// has such a way.
  bool deterministic = true;
  /// On a GPU as many floats as cuda::BackwardScratchFloats says, aligned to 16 bytes; their
  /// content means nothing before and after.
  float* scratch = nullptr;
};

}  // namespace spion

#endif  // SPION_KERNELS_BLOCK_SPARSE_PROBLEM_H_
