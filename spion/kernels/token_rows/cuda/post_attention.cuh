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
#include "spion/kernels/token_rows/cuda/kept_rows.cuh"
#include "spion/kernels/token_rows/cuda/kept_words.cuh"
#include "spion/kernels/token_rows/cuda/layer_vectors.cuh"
#include "spion/kernels/token_rows/cuda/rows_ahead.cuh"
#include "spion/kernels/token_rows/cuda/weight_rows.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// Where things are in shared memory.
struct PostAttentionShared {
  using Output = WeightRows<kLayerWidth, kLayerWidth, float, BFloat16>;
  using Hidden = WeightRows<kLayerHidden, kLayerWidth, float, float>;
  using Mlp = WeightRows<kLayerWidth, kLayerHidden, float, float>;
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

  // Of the forward call, what comes ahead.
  static constexpr int kXAhead = kBytes;
  static constexpr int kHeadsAhead = kXAhead + RowsAhead<2, float>::kBytes;
  static constexpr int kForwardBytes = kHeadsAhead + RowsAhead<2, BFloat16>::kBytes;
};

/// Copies what all rows need; a barrier must follow. Gives the vectors.
/// The hidden numbers' dropout scales them by `hidden_scale`: W2 here does it.
__device__ __forceinline__ const float* LoadPostAttention(const PostAttentionParameters& parameters,
                                                          float hidden_scale) {
  using Shared = PostAttentionShared;
  Shared::Output::Part(parameters.output.weight).Write(Shared::kOutput);
  Shared::Hidden::Part(parameters.hidden.weight).Write(Shared::kHidden);
  Shared::Mlp::Part(parameters.mlp.weight).Write(Shared::kMlp, hidden_scale);
  auto* vectors = reinterpret_cast<float*>(tiles::SharedMemory() + Shared::kVectors);
  CopyVector(parameters.output.bias, kLayerWidth, vectors + Shared::kOutputBias);
  CopyVector(parameters.norm.weight, kLayerWidth, vectors + Shared::kNormWeight);
  CopyVector(parameters.norm.bias, kLayerWidth, vectors + Shared::kNormBias);
  CopyVector(parameters.hidden.bias, kLayerHidden, vectors + Shared::kHiddenBias);
  CopyVector(parameters.mlp.bias, kLayerWidth, vectors + Shared::kMlpBias);
  return vectors;
}

/// s of rows first_row .., `x` being theirs.
__device__ __forceinline__ SixteenRows<2> AttendedSum(SixteenRows<2> x,
                                                      const SixteenRowsBF16<2>& heads,
                                                      const float* vectors, const KeptRows<2>& kept,
                                                      float scale) {
  using Shared = PostAttentionShared;
  Accumulators<2> products;
  Shared::Output::MultiplyTransposed(heads, Shared::kOutput, 0, 0, products);
  SixteenRows<2> branch = products.AsRows();
  AddToRows(vectors + Shared::kOutputBias, branch);
  AddScaled(kept.Of(branch), scale, x);
  return x;
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
  const int64_t step = int64_t{gridDim.x} * kLayerRows;
  int64_t first_row = int64_t{blockIdx.x} * kLayerRows + 16 * (threadIdx.x / 32);
  const auto copy = [&](int64_t from_row) {
    RowsAhead<2, float>::Copy(call.x, from_row, call.rows, Shared::kXAhead);
    RowsAhead<2, BFloat16>::Copy(call.heads, from_row, call.rows, Shared::kHeadsAhead);
    tiles::CommitCopies();
  };
  const float* vectors =
      LoadPostAttention(call.parameters, Dropper::ScaleOf(call.dropout.probability));
  BeginWithRows();
  copy(first_row);
  const Dropper dropper(call.dropout);
  __syncthreads();  // all of it is there before any warp multiplies
  for (; first_row < call.rows; first_row += step) {
    tiles::WaitForCopies<0>();
    const SixteenRowsBF16<2> heads = RowsAhead<2, BFloat16>::Take(Shared::kHeadsAhead);
    SixteenRows<2> y = RowsAhead<2, float>::Take(Shared::kXAhead);
    copy(first_row + step);
    const auto leave = [&](int number, uint32_t word) {
      if (call.kept != nullptr) KeptWords::Of(call.kept, first_row)[number] = word;
    };
    const KeptRows<2> branch_kept(dropper, first_row, kLayerDraws, kBranchDraws);
    leave(KeptWords::kBranch, branch_kept.Packed());
    y = AttendedSum(y, heads, vectors, branch_kept, dropper.scale());
    const SixteenRowsBF16<2> normed =
        Rounded(Normalised(y, MomentsOf(y, call.parameters.norm.epsilon),
                           vectors + Shared::kNormWeight, vectors + Shared::kNormBias));
    Accumulators<2> products;
    uint32_t hidden_kept = 0;  // of two quarters
#pragma unroll 1
    for (int quarter = 0; quarter < kLayerHidden / 32; ++quarter) {
      SixteenRows<1> hidden = HiddenNumbers(normed, vectors, quarter);
      ForEights<1>([&](int r, int q) {
        for (float& v : hidden.eights[r][q].values) v = Gelu(v, NormalTail<BFloat16>(v));
      });
      const KeptRows<1> kept(dropper, first_row, kLayerDraws, kHiddenDraws + 4 * quarter);
      hidden_kept = quarter % 2 == 0 ? kept.Packed() : hidden_kept | kept.Packed() >> 8;
      if (quarter % 2 != 0) leave(KeptWords::kHidden + quarter / 2, hidden_kept);
      Shared::Mlp::MultiplyTransposed(kept.Of(Rounded(hidden)), Shared::kMlp, 0, quarter, products);
    }
    SixteenRows<2> branch = products.AsRows();
    AddToRows(vectors + Shared::kMlpBias, branch);
    const KeptRows<2> mlp_kept(dropper, first_row, kLayerDraws, kMlpDraws);
    leave(KeptWords::kMlp, mlp_kept.Packed());
    AddScaled(mlp_kept.Of(branch), dropper.scale(), y);
    Store(y, first_row, call.rows, call.out);
  }
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_CUH_
