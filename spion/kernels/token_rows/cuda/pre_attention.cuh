// qkv = norm(x) W^T + b and its gradients, a warp 16 rows.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/layer_vectors.cuh"
#include "spion/kernels/token_rows/cuda/norm_gradient.cuh"
#include "spion/kernels/token_rows/cuda/weight_rows.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// Where things are in shared memory.
struct PreAttentionShared {
  using Weight = WeightRows<kLayerQkv, kLayerWidth>;
  static constexpr int kWeight = 0;
  // Of the backward call: kLayerRows rows.
  static constexpr int kNormed = kWeight + Weight::kBytes;
  static constexpr int kGrad = kNormed + kLayerRows * 2 * kLayerWidth;
  static constexpr int kBackwardVectors = kGrad + kLayerRows * 2 * kLayerQkv;
  static constexpr int kForwardVectors = kNormed;

  /// Floats behind the vectors' place.
  static constexpr int kNormWeight = 0;
  static constexpr int kNormBias = kNormWeight + kLayerWidth;
  static constexpr int kBias = kNormBias + kLayerWidth;
  static constexpr int kVectorBytes = 4 * (kBias + kLayerQkv);
  static constexpr int kForwardBytes = kForwardVectors + kVectorBytes;
  static constexpr int kBackwardBytes = kBackwardVectors + kVectorBytes;
};

/// Copies what all rows need; a barrier must follow.
template <class Call>
__device__ __forceinline__ const float* LoadPreAttention(const Call& call, int vectors_at) {
  using Shared = PreAttentionShared;
  auto* vectors = reinterpret_cast<float*>(tiles::SharedMemory() + vectors_at);
  Shared::Weight::Load(call.qkv.weight, Shared::kWeight, kLayerThreads);
  CopyVector(call.norm.weight, kLayerWidth, vectors + Shared::kNormWeight);
  CopyVector(call.norm.bias, kLayerWidth, vectors + Shared::kNormBias);
  CopyVector(call.qkv.bias, kLayerQkv, vectors + Shared::kBias);
  return vectors;
}

/// Grid: LayerBlocks(rows, ...) thread blocks of kLayerThreads, which share out the rows.
static __global__ void __launch_bounds__(kLayerThreads)
    PreAttentionForwardKernel(const __grid_constant__ PreAttentionForward call) {
  using Shared = PreAttentionShared;
  const float* vectors = LoadPreAttention(call, Shared::kForwardVectors);
  __syncthreads();  // all of it is there before any warp multiplies
  const int64_t warp = threadIdx.x / 32;
  for (int64_t base = int64_t{blockIdx.x} * kLayerRows; base < call.rows;
       base += int64_t{gridDim.x} * kLayerRows) {
    const int64_t first_row = base + 16 * warp;
    SixteenRows<2> x;
    Load(call.x, first_row, call.rows, x);
    const SixteenRowsBF16<2> normed =
        Rounded(Normalised(x, MomentsOf(x, call.norm.epsilon), vectors + Shared::kNormWeight,
                           vectors + Shared::kNormBias));
#pragma unroll 1
    for (int part = 0; part < 3; ++part) {
      Accumulators<2> sums;
      Shared::Weight::MultiplyTransposed(normed, Shared::kWeight, 2 * part, 0, sums);
      SixteenRows<2> out = sums.AsRows();
      AddToRows(vectors + Shared::kBias + part * kLayerWidth, out);
      ForEights<2>([&](int r, int q) {
        const int64_t row = first_row + tiles::LaneGroup() + 8 * r;
        if (row >= call.rows) return;
        tiles::StoreEight(call.out + row * kLayerQkv + part * kLayerWidth + 8 * EightOfRow(q),
                          out.eights[r][q]);
      });
    }
  }
}

/// Grid: LayerBlocks(rows, kLayerSumBlocks) thread blocks of kLayerThreads. Leaves [gridDim.x,
/// PreAttentionGradients::kFloats] in scratch.
static __global__ void __launch_bounds__(kLayerThreads)
    PreAttentionBackwardKernel(const __grid_constant__ PreAttentionBackward call) {
  using Shared = PreAttentionShared;
  using Gradients = PreAttentionGradients;
  constexpr int kQkvQuarters = kLayerQkv / 32;
  constexpr int kWarpTiles = kLayerQkv / 16 * 8 / kLayerWarps;  // of the weight's gradient
  const float* vectors = LoadPreAttention(call, Shared::kBackwardVectors);
  __syncthreads();  // all of it is there before any warp multiplies
  const int warp = static_cast<int>(threadIdx.x) / 32;
  char* shared = tiles::SharedMemory();
  RowTotals grad_norm_weight;
  RowTotals grad_norm_bias;
  // The weight's gradient: of two warps, each has half of the columns of three times 16 rows.
  constexpr int kSixteens = kLayerQkv / 16 / (kLayerWarps / 2);
  ColumnProducts<kWarpTiles / kSixteens> grad_weight[kSixteens];
  ColumnTotals grad_bias[kSixteens];
  const int first_sixteen = warp / 2 * kSixteens;
  const int columns = warp % 2 * (kLayerWidth / 2);
  for (int64_t base = int64_t{blockIdx.x} * kLayerRows; base < call.rows;
       base += int64_t{gridDim.x} * kLayerRows) {
    const int64_t first_row = base + 16 * warp;
    SixteenRows<2> x;
    Load(call.x, first_row, call.rows, x);
    SixteenRowsBF16<kQkvQuarters> grad_out;
    Load(call.grad_out, first_row, call.rows, grad_out);
    const RowMoments moments = MomentsOf(x, call.norm.epsilon);
    StoreShared(
        Rounded(Normalised(x, moments, vectors + Shared::kNormWeight, vectors + Shared::kNormBias)),
        shared + Shared::kNormed + warp * 16 * 2 * kLayerWidth);
    StoreShared(grad_out, shared + Shared::kGrad + warp * 16 * 2 * kLayerQkv);
    Accumulators<2> sums;
    Shared::Weight::Multiply(grad_out, Shared::kWeight, 0, 0, sums);
    SixteenRows<2> total;
    if (call.grad_beside == nullptr) {
      total.Clear();
    } else {
      Load(call.grad_beside, first_row, call.rows, total);
    }
    AddNormGradient(x, moments, vectors + Shared::kNormWeight, sums.AsRows(), total,
                    grad_norm_weight, grad_norm_bias);
    Store(total, first_row, call.rows, call.grad_x);
    __syncthreads();  // all rows are shared before any warp multiplies them
#pragma unroll
    for (int i = 0; i < kSixteens; ++i) {
      const int column = 16 * (first_sixteen + i);
      grad_weight[i].template Add<2 * kLayerQkv, 2 * kLayerWidth>(Shared::kGrad, column,
                                                                  Shared::kNormed, columns);
      if (columns == 0) grad_bias[i].template Add<2 * kLayerQkv>(Shared::kGrad, column);
    }
    __syncthreads();  // all have read the rows before the next ones come
  }
  float* sums = call.scratch + int64_t{blockIdx.x} * Gradients::kFloats;
#pragma unroll
  for (int i = 0; i < kSixteens; ++i) {
    const int first = 16 * (first_sixteen + i);
    grad_weight[i].ForPairs([&](int row, int column, float2 pair) {
      *reinterpret_cast<float2*>(sums + Gradients::kQkvWeight + (first + row) * kLayerWidth +
                                 columns + column) = pair;
    });
    if (columns == 0) grad_bias[i].Write(sums + Gradients::kQkvBias + first);
  }
  auto* buffer = reinterpret_cast<float*>(shared + Shared::kNormed);
  WriteTotals(grad_norm_weight, buffer, sums + Gradients::kNormWeight);
  WriteTotals(grad_norm_bias, buffer, sums + Gradients::kNormBias);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_
