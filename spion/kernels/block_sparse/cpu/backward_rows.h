// Backward pass over block rows of one head, for one instruction set (included by rows_<set>.cc).
//
// One visit a kept block: P and dS are recomputed once, [key][query] as in scores.h, and added
// to dV, dK and dQ. Per block row, Q and dO are packed transposed with the factors that the two
// score-like products need: scale * log2(e) and scale.
//   P  = 2^(K Q^T - log2 Z)            dV += P^T dO        (transposes as seen from [query][key])
//   dS = P * (V dO^T - rowsum(dO * O)) dK += dS^T Q        dQ += dS K
#ifndef SPION_KERNELS_BLOCK_SPARSE_CPU_BACKWARD_ROWS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CPU_BACKWARD_ROWS_H_

#include <cstdint>

#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/cpu_simd/tile_product.h"
#include "spion/kernels/cpu_simd/transpose.h"
#include "spion/kernels/cpu_simd/valid_keys.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu::internal {

/// One block row's operands of the score-like products.
struct PackedRow {
  float* q;             // [kDim][block_size], times scale * log2(e)
  float* grad_out;      // [kDim][block_size], times scale
  float* minus_log2_z;  // [block_size]
  float* minus_dots;    // [block_size]: - scale * rowsum(dO * O)
};

/// p and ds, [key][query], of one block.
template <class Simd, int kDim>
[[gnu::always_inline]] inline void RecomputeBlock(Rows<const float> k, Rows<const float> v,
                                                  const PackedRow& row, int block_size, float* p,
                                                  float* ds) {
  cpu_simd::ForTileColumns<Simd>(block_size, [&](auto tile, int lane) {
    for (int key = 0; key < block_size; key += Simd::kTileRows) {
      const int64_t at = int64_t{key} * block_size + lane;
      // Log Z comes last: a sum that began with it would be rounded to its size in every step, and
      // be another score than the forward pass's.
      tile.Clear();
      tile.AddProduct({k.data + key * k.stride, k.stride, 1}, row.q + lane, block_size, kDim);
      tile.AddToRows(row.minus_log2_z + lane);
      tile.Exp2();
      tile.StoreTo(p + at, block_size);
      tile.Clear();
      tile.AddProduct({v.data + key * v.stride, v.stride, 1}, row.grad_out + lane, block_size,
                      kDim);
      tile.AddToRows(row.minus_dots + lane);
      tile.MultiplyBy(p + at, block_size);
      tile.StoreTo(ds + at, block_size);
    }
  });
}

template <class Simd, int kDim>
void PackRow(const BackwardCall& call, int64_t first_query, const PackedRow& row) {
  const Head& head = call.head;
  const int b = head.block_size;
  const Rows<const float>& q = head.q;
  const Rows<const float>& grad_out = call.grad_out;
  cpu_simd::PackTransposed<Simd, kDim>(q.data + first_query * q.stride, q.stride, b,
                                       head.scale * cpu_simd::kLog2E, row.q);
  cpu_simd::PackTransposed<Simd, kDim>(grad_out.data + first_query * grad_out.stride,
                                       grad_out.stride, b, head.scale, row.grad_out);
  cpu_simd::RowDots<Simd, kDim>(call.out.data + first_query * call.out.stride, call.out.stride,
                                grad_out.data + first_query * grad_out.stride, grad_out.stride, b,
                                -head.scale, row.minus_dots);
  for (int lane = 0; lane < b; lane += Simd::kLanes) {
    // Where Z = 0 the logarithm is +infinity, so every P of the row is 2^(-infinity) = 0.
    cpu_simd::Store<Simd>(
        row.minus_log2_z + lane,
        cpu_simd::Load<Simd>(call.log_sum_exp + first_query + lane) * -cpu_simd::kLog2E);
  }
}

template <class Simd, int kDim>
inline void ClearRows(int rows, Rows<float> to) {
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < kDim; column += Simd::kLanes) {
      cpu_simd::Store<Simd>(to.data + row * to.stride + column, typename Simd::Float{});
    }
  }
}

template <class Simd, int kDim>
void BackwardRows(const BackwardCall& call) {
  using cpu_simd::Before;
  const Head& head = call.head;
  const int b = head.block_size;
  const int64_t block = int64_t{b} * b;
  float* p = call.scratch;  // [b keys][b queries]
  float* ds = p + block;    // [b keys][b queries]
  const PackedRow packed = {ds + block, ds + block + kDim * b, ds + block + 2 * kDim * b,
                            ds + block + 2 * kDim * b + b};

  for (int64_t row = call.row_begin; row < call.row_end; ++row) {
    const int64_t first_query = row * b;
    const Rows<float> grad_q = {call.grad_q.data + first_query * call.grad_q.stride,
                                call.grad_q.stride};
    PackRow<Simd, kDim>(call, first_query, packed);
    bool empty = true;
    for (int32_t i = head.row_offsets[row]; i < head.row_offsets[row + 1]; ++i) {
      const int64_t column = head.row_columns[i];
      const int64_t first_key = column * b;
      const cpu_simd::ValidKeys<Simd> keys(head.padding, first_key, b);
      if (keys.end == 0) continue;
      const Rows<const float> k = {head.k.data + first_key * head.k.stride, head.k.stride};
      const Rows<const float> v = {head.v.data + first_key * head.v.stride, head.v.stride};
      RecomputeBlock<Simd, kDim>(k, v, packed, b, p, ds);
      keys.FillPadded(p, b, 0.0F);
      keys.FillPadded(ds, b, 0.0F);
      const Before before = call.reached[column] == 0 ? Before::kNothing : Before::kSum;
      call.reached[column] = 1;
      cpu_simd::AddProduct<Simd, kDim>(
          {p, b, 1}, call.grad_out.data + first_query * call.grad_out.stride, call.grad_out.stride,
          b, b, before, nullptr, call.grad_v.data + first_key * call.grad_v.stride,
          call.grad_v.stride);
      cpu_simd::AddProduct<Simd, kDim>(
          {ds, b, 1}, head.q.data + first_query * head.q.stride, head.q.stride, b, b, before,
          nullptr, call.grad_k.data + first_key * call.grad_k.stride, call.grad_k.stride);
      cpu_simd::AddProduct<Simd, kDim>({ds, 1, b}, k.data, k.stride, keys.end, b,
                                       empty ? Before::kNothing : Before::kSum, nullptr,
                                       grad_q.data, grad_q.stride);
      empty = false;
    }
    if (empty) ClearRows<Simd, kDim>(b, grad_q);
  }
}

template <class Simd>
void BackwardRowsOfAnyDim(const BackwardCall& call) {
  DispatchHeadDim(call.head.head_dim, [&]<int kDim>() { BackwardRows<Simd, kDim>(call); });
}

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_BLOCK_SPARSE_CPU_BACKWARD_ROWS_H_
