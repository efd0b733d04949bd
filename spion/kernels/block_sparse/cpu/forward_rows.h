// Forward pass over block rows of one head, for one instruction set (included by rows_<set>.cc).
//
// The queries of a block row are the lanes (see scores.h). Exponents are base 2: log2(e) is folded
// into Q together with the scale.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CPU_FORWARD_ROWS_H_
#define SPION_KERNELS_BLOCK_SPARSE_CPU_FORWARD_ROWS_H_

#include <cstdint>

#include "spion/kernels/block_sparse/cpu/rows.h"
#include "spion/kernels/common/head_dim.h"
#include "spion/kernels/cpu_simd/scores.h"
#include "spion/kernels/cpu_simd/tile_product.h"
#include "spion/kernels/cpu_simd/transpose.h"
#include "spion/kernels/cpu_simd/valid_keys.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu::internal {

/// The softmax of one block row, in memory: [block_size] each.
template <class Simd>
struct RowSoftmax {
  using Float = typename Simd::Float;

  float* maximum;
  float* sum;
  float* factor;  // for what was accumulated before the latest block; at the end 1 / Z
  int block_size;

  /// `pruned` scores of 0 are in the sum from the start. Without any, the maximum starts at minus
  /// infinity, also for PrunedScore::kZero: a maximum of 0 that no entry has could underflow the
  /// sum.
  void Start(int64_t pruned) const {
    const float m = pruned > 0 ? 0.0F : -__builtin_inff();
    for (int lane = 0; lane < block_size; lane += Simd::kLanes) {
      cpu_simd::Store<Simd>(maximum + lane, cpu_simd::Broadcast<Simd>(m));
      cpu_simd::Store<Simd>(sum + lane, cpu_simd::Broadcast<Simd>(static_cast<float>(pruned)));
    }
  }

  void Take(float* scores, int keys) const {
    for (int lane = 0; lane < block_size; lane += Simd::kLanes) {
      cpu_simd::OnlineSoftmax<Simd> softmax = {cpu_simd::Load<Simd>(maximum + lane),
                                               cpu_simd::Load<Simd>(sum + lane)};
      cpu_simd::Store<Simd>(factor + lane, softmax.Take(scores + lane, keys, block_size));
      cpu_simd::Store<Simd>(maximum + lane, softmax.maximum);
      cpu_simd::Store<Simd>(sum + lane, softmax.sum);
    }
  }

  /// Writes log Z, +infinity where Z is 0, and sets `factor` to 1 / Z, 0 where Z is 0.
  void Finish(float* log_sum_exp) const {
    for (int lane = 0; lane < block_size; lane += Simd::kLanes) {
      const Float z = cpu_simd::Load<Simd>(sum + lane);
      const Float log2_z = cpu_simd::Load<Simd>(maximum + lane) + cpu_simd::Log2<Simd>(z);
      const Float infinity = cpu_simd::Broadcast<Simd>(__builtin_inff());
      cpu_simd::Store<Simd>(log_sum_exp + lane, z > 0.0F ? log2_z * cpu_simd::kLn2 : infinity);
      cpu_simd::Store<Simd>(factor + lane, z > 0.0F ? 1.0F / z : Float{});
    }
  }
};

/// out [block_size][kDim] *= factors[row], or = 0 where `empty`: nothing was accumulated.
template <class Simd, int kDim>
inline void FinishOutput(const float* factors, bool empty, int block_size, Rows<float> out) {
  for (int row = 0; row < block_size; ++row) {
    for (int column = 0; column < kDim; column += Simd::kLanes) {
      float* at = out.data + row * out.stride + column;
      cpu_simd::Store<Simd>(
          at, empty ? typename Simd::Float{} : cpu_simd::Load<Simd>(at) * factors[row]);
    }
  }
}

template <class Simd, int kDim>
void ForwardRows(const ForwardCall& call) {
  const Head& head = call.head;
  const int b = head.block_size;
  float* q_packed = call.scratch;                // [kDim][b]
  float* scores = q_packed + int64_t{kDim} * b;  // [b keys][b queries]
  float* row_values = scores + int64_t{b} * b;
  const RowSoftmax<Simd> softmax = {row_values, row_values + b, row_values + 2 * b, b};

  for (int64_t row = call.row_begin; row < call.row_end; ++row) {
    const int64_t first_query = row * b;
    const Rows<float> out = {call.out.data + first_query * call.out.stride, call.out.stride};
    const int32_t kept_begin = head.row_offsets[row];
    const int32_t kept_end = head.row_offsets[row + 1];
    cpu_simd::PackTransposed<Simd, kDim>(head.q.data + first_query * head.q.stride, head.q.stride,
                                         b, head.scale * cpu_simd::kLog2E, q_packed);
    const int64_t kept_keys = int64_t{kept_end - kept_begin} * b;
    softmax.Start(head.pruned_is_zero ? head.length - kept_keys : 0);
    bool empty = true;
    for (int32_t i = kept_begin; i < kept_end; ++i) {
      const int64_t first_key = int64_t{head.row_columns[i]} * b;
      const cpu_simd::ValidKeys<Simd> keys(head.padding, first_key, b);
      if (keys.end == 0) continue;
      cpu_simd::Scores<Simd, kDim>(head.k.data + first_key * head.k.stride, head.k.stride, b,
                                   q_packed, b, scores);
      keys.FillPadded(scores, b, -__builtin_inff());
      softmax.Take(scores, keys.end);
      cpu_simd::AddProduct<Simd, kDim>({scores, 1, b}, head.v.data + first_key * head.v.stride,
                                       head.v.stride, keys.end, b,
                                       empty ? cpu_simd::Before::kNothing : cpu_simd::Before::kSum,
                                       softmax.factor, out.data, out.stride);
      empty = false;
    }
    softmax.Finish(call.log_sum_exp + first_query);
    FinishOutput<Simd, kDim>(softmax.factor, empty, b, out);
  }
}

template <class Simd>
void ForwardRowsOfAnyDim(const ForwardCall& call) {
  DispatchHeadDim(call.head.head_dim, [&]<int kDim>() { ForwardRows<Simd, kDim>(call); });
}

}  // namespace spion::cpu::internal

#endif  // SPION_KERNELS_BLOCK_SPARSE_CPU_FORWARD_ROWS_H_
