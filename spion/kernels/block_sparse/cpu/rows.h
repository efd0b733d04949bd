// The inner level of the CPU kernel: some block rows of one head, on one thread, with scratch
// memory from the caller. rows_<set>.cc compile the templates of forward_rows.h and backward_rows.h
// for one instruction set each; forward.cc and backward.cc choose one and spread the work over
// threads.
//
// Plain structs of pointers only: files compiled for different instruction sets include this.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CPU_ROWS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CPU_ROWS_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/padding.h"

namespace spion::cpu::internal {

/// [L, d] of one head, unit stride along d.
template <typename T>
struct Rows {
  T* data;
  int64_t stride;
};

/// What forward and backward share about one head of one example.
struct Head {
  const int32_t* row_offsets;  // [n + 1], counting from row_columns
  const int32_t* row_columns;
  int64_t length;
  int32_t block_size;
  int32_t head_dim;
  float scale;
  bool pruned_is_zero;
  cpu_simd::Padding padding;
  Rows<const float> q, k, v;
};

struct ForwardCall {
  Head head;
  int32_t row_begin, row_end;  // block rows
  Rows<float> out;
  float* log_sum_exp;  // [L]
  float* scratch;      // [ForwardScratchFloats]
};

struct BackwardCall {
  Head head;
  int32_t row_begin, row_end;  // block rows
  Rows<const float> out, grad_out;
  const float* log_sum_exp;  // [L]
  Rows<float> grad_q;
  /// Block columns that these block rows reach are written the first time and added to from then
  /// on; `reached` [n] must be 0 at the start and says at the end which were written.
  Rows<float> grad_k, grad_v;
  uint8_t* reached;
  float* scratch;  // [BackwardScratchFloats]
};

/// Q transposed, a block of scores, and three values a row.
constexpr int64_t ForwardScratchFloats(int64_t block_size, int64_t head_dim) {
  return block_size * (head_dim + block_size + 3);
}

/// Q and dO transposed, P and dS of one block, and two values a row.
constexpr int64_t BackwardScratchFloats(int64_t block_size, int64_t head_dim) {
  return block_size * (2 * head_dim + 2 * block_size + 2);
}

void ForwardRowsPortable(const ForwardCall& call);
void ForwardRowsAvx2(const ForwardCall& call);
void ForwardRowsAvx512(const ForwardCall& call);

void BackwardRowsPortable(const BackwardCall& call);
void BackwardRowsAvx2(const BackwardCall& call);
void BackwardRowsAvx512(const BackwardCall& call);

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_BLOCK_SPARSE_CPU_ROWS_H_
