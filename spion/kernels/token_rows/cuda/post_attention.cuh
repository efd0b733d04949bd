// What follows the attention in an encoder layer, a warp 16 rows.
//
//   s = x + dropout(heads Wo^T + bo)
//   y = s + dropout(dropout(gelu(norm(s) W1^T + b1)) W2^T + b2)
//
// The hidden numbers are made 32 at a time, and are used up in registers.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/gelu.cuh"
#include "spion/kernels/token_rows/cuda/layer_vectors.cuh"
#include "spion/kernels/token_rows/cuda/weight_rows.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// Where things are in shared memory.
struct PostAttentionShared {
  using Output = WeightRows<kLayerWidth, kLayerWidth>;
  using Hidden = WeightRows<kLayerHidden, kLayerWidth>;
  using Mlp = WeightRows<kLayerWidth, kLayerHidden>;
  static constexpr int kOutput = 0;
  static constexpr int kHidden = kOutput + Output::kBytes;
  static constexpr int kMlp = kHidden + Hidden::kBytes;
  static constexpr int kVectors = kMlp + Mlp::kBytes;

  /// Floats from kVectors on.
  static constexpr int kOutputBias = 0;
  static constexpr int kNormWeight = kOutputBias + kLayerWidth;
  static constexpr int kNormBias = kNormWeight + kLayerWidth;
  static constexpr int kHiddenBias = kNormBias + kLayerWidth;
  static constexpr int kMlpBias = kHiddenBias + kLayerHidden;
  static constexpr int kFloats = kMlpBias + kLayerWidth;
  static constexpr int kBytes = (kVectors + 4 * kFloats + 1023) / 1024 * 1024;
};

/// Copies what all rows need; a barrier must follow. Gives the vectors.
__device__ __forceinline__ const float* LoadPostAttention(
    const PostAttentionParameters& parameters) {
  using Shared = PostAttentionShared;
  Shared::Output::Load(parameters.output.weight, Shared::kOutput, kLayerThreads);
  Shared::Hidden::Load(parameters.hidden.weight, Shared::kHidden, kLayerThreads);
  Shared::Mlp::Load(parameters.mlp.weight, Shared::kMlp, kLayerThreads);
  auto* vectors = reinterpret_cast<float*>(tiles::SharedMemory() + Shared::kVectors);
  CopyVector(parameters.output.bias, kLayerWidth, vectors + Shared::kOutputBias);
  CopyVector(parameters.norm.weight, kLayerWidth, vectors + Shared::kNormWeight);
  CopyVector(parameters.norm.bias, kLayerWidth, vectors + Shared::kNormBias);
  CopyVector(parameters.hidden.bias, kLayerHidden, vectors + Shared::kHiddenBias);
  CopyVector(parameters.mlp.bias, kLayerWidth, vectors + Shared::kMlpBias);
  return vectors;
}

/// s of rows first_row ..
__device__ __forceinline__ SixteenRows<2> AttendedSum(const float* x,
                                                      const SixteenRowsBF16<2>& heads,
                                                      const float* vectors, const Dropper& dropper,
                                                      int64_t first_row, int64_t end) {
  using Shared = PostAttentionShared;
  Accumulators<2> products;
  Shared::Output::MultiplyTransposed(heads, Shared::kOutput, 0, 0, products);
  SixteenRows<2> branch = products.AsRows();
  AddToRows(vectors + Shared::kOutputBias, branch);
  Drop(dropper, first_row, kLayerDraws, kBranchDraws, branch);
  SixteenRows<2> sum;
  Load(x, first_row, end, sum);
  Add(branch, sum);
  return sum;
}

/// The hidden numbers 32 quarter .., before GELU.
__device__ __forceinline__ SixteenRows<1> HiddenNumbers(const SixteenRowsBF16<2>& normed,
                                                        const float* vectors, int quarter) {
  using Shared = PostAttentionShared;
  Accumulators<1> products;
  Shared::Hidden::MultiplyTransposed(normed, Shared::kHidden, quarter, 0, products);
  SixteenRows<1> hidden = products.AsRows();
  AddToRows(vectors + Shared::kHiddenBias + 32 * quarter, hidden);
  return hidden;
}

/// Grid: LayerBlocks(rows, kLayerBlocks) thread blocks of kLayerThreads, which share out the rows.
static __global__ void __launch_bounds__(kLayerThreads, 2)
    PostAttentionForwardKernel(const __grid_constant__ PostAttentionForward call) {
  using Shared = PostAttentionShared;
  const float* vectors = LoadPostAttention(call.parameters);
  const Dropper dropper(call.dropout);
  __syncthreads();  // all of it is there before any warp multiplies
  for (int64_t base = int64_t{blockIdx.x} * kLayerRows; base < call.rows;
       base += int64_t{gridDim.x} * kLayerRows) {
    const int64_t first_row = base + 16 * (threadIdx.x / 32);
    SixteenRowsBF16<2> heads;
    Load(call.heads, first_row, call.rows, heads);
    SixteenRows<2> y = AttendedSum(call.x, heads, vectors, dropper, first_row, call.rows);
    const SixteenRowsBF16<2> normed =
        Rounded(Normalised(y, MomentsOf(y, call.parameters.norm.epsilon),
                           vectors + Shared::kNormWeight, vectors + Shared::kNormBias));
    Accumulators<2> products;
#pragma unroll 1
    for (int quarter = 0; quarter < kLayerHidden / 32; ++quarter) {
      SixteenRows<1> hidden = HiddenNumbers(normed, vectors, quarter);
      ForEights<1>([&](int r, int q) {
        for (float& v : hidden.eights[r][q].values) v *= NormalProbability(v);
      });
      Drop(dropper, first_row, kLayerDraws, kHiddenDraws + 4 * quarter, hidden);
      Shared::Mlp::MultiplyTransposed(Rounded(hidden), Shared::kMlp, 0, quarter, products);
    }
    SixteenRows<2> branch = products.AsRows();
    AddToRows(vectors + Shared::kMlpBias, branch);
    Drop(dropper, first_row, kLayerDraws, kMlpDraws, branch);
    Add(branch, y);
    Store(y, first_row, call.rows, call.out);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_CUH_
