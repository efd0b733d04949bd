// The gradients of post_attention.cuh's call, from x and the heads alone: what lies between is
// computed again. A warp has 16 rows; what the weights' gradients multiply goes through shared
// memory, where each warp then sums up its part of them over the rows of all warps.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/norm_gradient.cuh"
#include "spion/kernels/token_rows/cuda/post_attention.cuh"

namespace spion::cuda {

/// Behind PostAttentionShared: kLayerRows rows of each of these.
struct PostAttentionRows {
  static constexpr int kNarrow = 2 * kLayerWidth;  // bytes of a row
  static constexpr int kWide = 2 * kLayerHidden;
  static constexpr int kHeads = PostAttentionShared::kBytes;
  static constexpr int kNormed = kHeads + kLayerRows * kNarrow;
  static constexpr int kActive = kNormed + kLayerRows * kNarrow;  // the MLP's input, dropped
  static constexpr int kGradMlp = kActive + kLayerRows * kWide;   // of the MLP's output
  static constexpr int kGradHidden = kGradMlp + kLayerRows * kNarrow;
  static constexpr int kGradOutput = kGradHidden + kLayerRows * kWide;  // of the output's
  static constexpr int kSums = kGradOutput + kLayerRows * kNarrow;      // s, each thread its own
  static constexpr int kBytes = kSums + 4 * kLayerRows * kLayerWidth;
};

/// A thread's part of rows, out of its registers and back.
__device__ __forceinline__ float4* OwnPlace(int i) {
  return reinterpret_cast<float4*>(tiles::SharedMemory() + PostAttentionRows::kSums) +
         i * kLayerThreads + threadIdx.x;
}
__device__ __forceinline__ void PutAside(const SixteenRows<2>& rows) {
  ForEights<2>([&](int r, int q) {
    const float(&v)[8] = rows.eights[r][q].values;
    *OwnPlace(4 * r + 2 * q) = {v[0], v[1], v[2], v[3]};
    *OwnPlace(4 * r + 2 * q + 1) = {v[4], v[5], v[6], v[7]};
  });
}
__device__ __forceinline__ SixteenRows<2> TakeBack() {
  SixteenRows<2> rows;
  ForEights<2>([&](int r, int q) {
    const float4 low = *OwnPlace(4 * r + 2 * q);
    const float4 high = *OwnPlace(4 * r + 2 * q + 1);
    rows.eights[r][q] = {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
  });
  return rows;
}

/// A thread block's sums: of the weights', a warp's part.
struct PostAttentionSums {
  ColumnProducts<8> hidden;  // of hidden numbers 16 warp .., [hidden, width]
  ColumnProducts<8> mlp;     // of the same, [hidden, width]: the weight's gradient transposed
  ColumnProducts<4> output;  // of numbers 16 (warp / 2) .., half of the columns
  ColumnTotals hidden_bias;  // of hidden numbers 16 warp ..
  RowTotals mlp_bias;
  RowTotals output_bias;
  RowTotals norm_weight;
  RowTotals norm_bias;

  static __device__ __forceinline__ int Warp() { return static_cast<int>(threadIdx.x) / 32; }
  static __device__ __forceinline__ int OutputRow() { return 16 * (Warp() / 2); }
  static __device__ __forceinline__ int OutputColumn() { return Warp() % 2 * (kLayerWidth / 2); }

  /// The products of the rows in shared memory.
  __device__ __forceinline__ void AddRows() {
    using Rows = PostAttentionRows;
    hidden.Add<Rows::kWide, Rows::kNarrow>(Rows::kGradHidden, 16 * Warp(), Rows::kNormed, 0);
    hidden_bias.Add<Rows::kWide>(Rows::kGradHidden, 16 * Warp());
    mlp.Add<Rows::kWide, Rows::kNarrow>(Rows::kActive, 16 * Warp(), Rows::kGradMlp, 0);
    output.Add<Rows::kNarrow, Rows::kNarrow>(Rows::kGradOutput, OutputRow(), Rows::kHeads,
                                             OutputColumn());
  }

  /// to[PostAttentionGradients::kFloats]
  __device__ __forceinline__ void Write(float* to) const {
    using At = PostAttentionGradients;
    hidden.ForPairs([&](int row, int column, float2 pair) {
      *reinterpret_cast<float2*>(to + At::kHiddenWeight + (16 * Warp() + row) * kLayerWidth +
                                 column) = pair;
    });
    mlp.ForPairs([&](int row, int column, float2 pair) {
      float* at = to + At::kMlpWeight + column * kLayerHidden + 16 * Warp() + row;
      at[0] = pair.x;
      at[kLayerHidden] = pair.y;
    });
    output.ForPairs([&](int row, int column, float2 pair) {
      *reinterpret_cast<float2*>(to + At::kOutputWeight + (OutputRow() + row) * kLayerWidth +
                                 OutputColumn() + column) = pair;
    });
    hidden_bias.Write(to + At::kHiddenBias + 16 * Warp());
    auto* buffer = reinterpret_cast<float*>(tiles::SharedMemory() + PostAttentionRows::kSums);
    WriteTotals(mlp_bias, buffer, to + At::kMlpBias);
    WriteTotals(output_bias, buffer, to + At::kOutputBias);
    WriteTotals(norm_weight, buffer, to + At::kNormWeight);
    WriteTotals(norm_bias, buffer, to + At::kNormBias);
  }
};

/// Grid: LayerBlocks(rows, kLayerSumBlocks) thread blocks of kLayerThreads. Leaves [gridDim.x,
/// PostAttentionGradients::kFloats] in scratch.
static __global__ void __launch_bounds__(kLayerThreads, 1)
    PostAttentionBackwardKernel(const __grid_constant__ PostAttentionBackward call) {
  using Shared = PostAttentionShared;
  using Rows = PostAttentionRows;
  const float* vectors = LoadPostAttention(call.parameters);
  const Dropper dropper(call.dropout);
  PostAttentionSums sums;
  __syncthreads();  // all of it is there before any warp multiplies
  const uint32_t narrow = threadIdx.x / 32 * 16 * Rows::kNarrow;
  const uint32_t wide = threadIdx.x / 32 * 16 * Rows::kWide;
  char* shared = tiles::SharedMemory();
  for (int64_t base = int64_t{blockIdx.x} * kLayerRows; base < call.rows;
       base += int64_t{gridDim.x} * kLayerRows) {
    const int64_t first_row = base + 16 * (threadIdx.x / 32);
    // Forward.
    SixteenRowsBF16<2> normed;
    RowMoments moments;
    {
      SixteenRowsBF16<2> heads;
      Load(call.heads, first_row, call.rows, heads);
      StoreShared(heads, shared + Rows::kHeads + narrow);
      const SixteenRows<2> s = AttendedSum(call.x, heads, vectors, dropper, first_row, call.rows);
      moments = MomentsOf(s, call.parameters.norm.epsilon);
      normed = Rounded(
          Normalised(s, moments, vectors + Shared::kNormWeight, vectors + Shared::kNormBias));
      StoreShared(normed, shared + Rows::kNormed + narrow);
      PutAside(s);
    }
    // Through the MLP.
    SixteenRowsBF16<2> grad_mlp;
    {
      SixteenRows<2> grad;
      Load(call.grad_out, first_row, call.rows, grad);
      Drop(dropper, first_row, kLayerDraws, kMlpDraws, grad);
      sums.mlp_bias.Add(grad);
      grad_mlp = Rounded(grad);
      StoreShared(grad_mlp, shared + Rows::kGradMlp + narrow);
    }
    Accumulators<2> grad_normed;
#pragma unroll 1
    for (int quarter = 0; quarter < kLayerHidden / 32; ++quarter) {
      SixteenRows<1> active = HiddenNumbers(normed, vectors, quarter);
      Accumulators<1> products;
      Shared::Mlp::Multiply(grad_mlp, Shared::kMlp, 0, quarter, products);
      SixteenRows<1> grad = products.AsRows();
      Drop(dropper, first_row, kLayerDraws, kHiddenDraws + 4 * quarter, grad);
      ForEights<1>([&](int r, int q) {
#pragma unroll
        for (int e = 0; e < 8; ++e) {
          float& v = active.eights[r][q].values[e];
          const float probability = NormalProbability(v);
          grad.eights[r][q].values[e] *= GeluSlope(v, probability);
          v *= probability;
        }
      });
      Drop(dropper, first_row, kLayerDraws, kHiddenDraws + 4 * quarter, active);
      const SixteenRowsBF16<1> grad_hidden = Rounded(grad);
      StoreSharedPart<Rows::kWide>(Rounded(active), quarter, shared + Rows::kActive + wide);
      StoreSharedPart<Rows::kWide>(grad_hidden, quarter, shared + Rows::kGradHidden + wide);
      Shared::Hidden::Multiply(grad_hidden, Shared::kHidden, quarter, 0, grad_normed);
    }
    // Through the normalisation, and past it.
    SixteenRows<2> total;
    Load(call.grad_out, first_row, call.rows, total);
    AddNormGradient(TakeBack(), moments, vectors + Shared::kNormWeight, grad_normed.AsRows(), total,
                    sums.norm_weight, sums.norm_bias);
    Store(total, first_row, call.rows, call.grad_x);
    // Through the output projection.
    Drop(dropper, first_row, kLayerDraws, kBranchDraws, total);
    sums.output_bias.Add(total);
    const SixteenRowsBF16<2> grad_output = Rounded(total);
    StoreShared(grad_output, shared + Rows::kGradOutput + narrow);
    Accumulators<2> grad_heads;
    Shared::Output::Multiply(grad_output, Shared::kOutput, 0, 0, grad_heads);
    Store(grad_heads.AsRows(), first_row, call.rows, call.grad_heads);
    __syncthreads();  // all rows are shared before any warp multiplies them
    sums.AddRows();
    __syncthreads();  // all have read the rows before the next ones come
  }
  sums.Write(call.scratch + int64_t{blockIdx.x} * PostAttentionGradients::kFloats);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_
