// The gradients of post_attention.cuh's call, from x and the heads alone: what lies between is
// computed again. A warp has 16 rows; what the weights' gradients multiply goes through shared
// memory, where each warp then sums up its part of them over the rows of all warps.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/norm_gradient.cuh"
#include "spion/kernels/token_rows/cuda/post_attention.cuh"

namespace spion::cuda {

/// Behind PostAttentionShared: kLayerRows rows of each of these, and what comes ahead. x has its
/// place until it has become s, and s from then on.
struct PostAttentionRows {
  static constexpr int kNarrow = 2 * kLayerWidth;  // bytes of a row
  static constexpr int kWide = 2 * kLayerHidden;
  static constexpr int kHeads = PostAttentionShared::kBytes;
  static constexpr int kNormed = kHeads + kLayerRows * kNarrow;
  static constexpr int kActive = kNormed + kLayerRows * kNarrow;  // the MLP's input, dropped
  static constexpr int kGradMlp = kActive + kLayerRows * kWide;   // of the MLP's output
  static constexpr int kGradHidden = kGradMlp + kLayerRows * kNarrow;
  static constexpr int kGradOutput = kGradHidden + kLayerRows * kWide;  // of the output's
  static constexpr int kXAhead = kGradOutput + kLayerRows * kNarrow;
  static constexpr int kHeadsAhead = kXAhead + RowsAhead<2, float>::kBytes;
  static constexpr int kKeptAhead = kHeadsAhead + RowsAhead<2, BFloat16>::kBytes;
  static constexpr int kBytes = kKeptAhead + KeptWords::kBytes;
};

/// A thread block's sums: of the weights', a warp's part.
struct PostAttentionSums {
  ColumnProducts<1, 8> hidden;  // of hidden numbers 16 warp .., [hidden, width]
  ColumnProducts<1, 8> mlp;     // of the same, [hidden, width]: the weight's gradient transposed
  ColumnProducts<1, 4> output;  // of numbers 16 (warp / 2) .., half of the columns
  ColumnTotals<1> hidden_bias;  // of hidden numbers 16 warp ..
  ColumnTotals<1> branch_bias;  // of the first four warps the MLP's, of the others the output's
  RowTotals norm_weight;
  RowTotals norm_bias;

  static __device__ __forceinline__ int Warp() { return static_cast<int>(threadIdx.x) / 32; }
  static constexpr __host__ __device__ int OutputRow(int warp) { return 16 * (warp / 2); }
  static constexpr __host__ __device__ int OutputColumn(int warp) {
    return warp % 2 * (kLayerWidth / 2);
  }
  static __device__ __forceinline__ bool HasMlpBias() { return Warp() < kLayerWidth / 16; }
  static __device__ __forceinline__ int BranchColumn() {
    return 16 * (Warp() % (kLayerWidth / 16));
  }

  /// The products of the rows in shared memory.
  __device__ __forceinline__ void AddRows() {
    using Rows = PostAttentionRows;
    hidden.Add<Rows::kWide, Rows::kNarrow>(Rows::kGradHidden, 16 * Warp(), Rows::kNormed, 0,
                                           hidden_bias);
    mlp.Add<Rows::kWide, Rows::kNarrow>(Rows::kActive, 16 * Warp(), Rows::kGradMlp, 0);
    output.Add<Rows::kNarrow, Rows::kNarrow>(Rows::kGradOutput, OutputRow(Warp()), Rows::kHeads,
                                             OutputColumn(Warp()));
    branch_bias.Add<Rows::kNarrow>(HasMlpBias() ? Rows::kGradMlp : Rows::kGradOutput,
                                   BranchColumn());
  }

  /// to[PostAttentionGradients::kFloats], of which those of weights come in the order of Place.
  /// `hidden_scale`: of the hidden numbers' dropout.
  __device__ __forceinline__ void Write(float hidden_scale, float* to) const {
    using At = PostAttentionGradients;
    hidden.Write(1, to + At::kHiddenWeight);
    mlp.Write(hidden_scale, to + At::kMlpWeight);
    output.Write(1, to + At::kOutputWeight);
    hidden_bias.ForEach([&](int column, float sum) {
      to[At::kHiddenBias + OfPosition<float>(16 * Warp() + column)] = sum;
    });
    branch_bias.ForEach([&](int column, float sum) {
      to[(HasMlpBias() ? At::kMlpBias : At::kOutputBias) +
         OfPosition<float>(BranchColumn() + column)] = sum;
    });
    auto* buffer = reinterpret_cast<float*>(tiles::SharedMemory() + PostAttentionRows::kXAhead);
    WriteTotals(norm_weight, buffer, to + At::kNormWeight);
    WriteTotals(norm_bias, buffer, to + At::kNormBias);
  }
};

/// Where in the gradients a number is that Write leaves.
struct PostAttentionPlace {
  static constexpr __host__ __device__ int Of(int index) {
    using At = PostAttentionGradients;
    using Sums = PostAttentionSums;
    static_assert(decltype(Sums::hidden)::kFloats == At::kMlpWeight - At::kHiddenWeight);
    static_assert(decltype(Sums::mlp)::kFloats == At::kOutputWeight - At::kMlpWeight);
    static_assert(decltype(Sums::output)::kFloats == At::kHiddenBias - At::kOutputWeight);
    if (index < At::kMlpWeight) {
      const auto place = decltype(Sums::hidden)::PlaceOf(index - At::kHiddenWeight);
      return At::kHiddenWeight + OfPosition<float>(16 * place.warp + place.left) * kLayerWidth +
             OfPosition<float>(place.right);
    }
    if (index < At::kOutputWeight) {
      const auto place = decltype(Sums::mlp)::PlaceOf(index - At::kMlpWeight);
      return At::kMlpWeight + OfPosition<float>(place.right) * kLayerHidden +
             OfPosition<float>(16 * place.warp + place.left);
    }
    if (index < At::kHiddenBias) {
      const auto place = decltype(Sums::output)::PlaceOf(index - At::kOutputWeight);
      return At::kOutputWeight +
             OfPosition<float>(Sums::OutputRow(place.warp) + place.left) * kLayerWidth +
             OfPosition<BFloat16>(Sums::OutputColumn(place.warp) + place.right);
    }
    return index;
  }
};

/// Grid: LayerBlocks(rows, kLayerSumBlocks) thread blocks of kLayerThreads. Leaves [gridDim.x,
/// PostAttentionGradients::kFloats] in scratch.
static __global__ void __launch_bounds__(kLayerThreads, 1)
    PostAttentionBackwardKernel(const __grid_constant__ PostAttentionBackward call) {
  using Shared = PostAttentionShared;
  using Rows = PostAttentionRows;
  const uint32_t narrow = threadIdx.x / 32 * 16 * Rows::kNarrow;
  const uint32_t wide = threadIdx.x / 32 * 16 * Rows::kWide;
  const int64_t step = int64_t{gridDim.x} * kLayerRows;
  const int64_t first_of_block = int64_t{blockIdx.x} * kLayerRows;
  const float scale = Dropper::ScaleOf(call.probability);
  const float* vectors = LoadPostAttention(call.parameters, scale);
  BeginWithRows();
  RowsAhead<2, float>::Copy(call.x, first_of_block + 16 * (threadIdx.x / 32), call.rows,
                            Rows::kXAhead);
  RowsAhead<2, BFloat16>::Copy(call.heads, first_of_block + 16 * (threadIdx.x / 32), call.rows,
                               Rows::kHeadsAhead);
  KeptWords::Copy(call.kept, first_of_block + 16 * (threadIdx.x / 32), call.rows, Rows::kKeptAhead);
  tiles::CommitCopies();
  PostAttentionSums sums;
  __syncthreads();  // all of it is there before any warp multiplies
  for (int64_t base = first_of_block; base < call.rows; base += step) {
    const int64_t first_row = base + 16 * (threadIdx.x / 32);
    SixteenRows<2> grad;
    Load(call.grad_out, first_row, call.rows, grad);
    // Forward.
    SixteenRowsBF16<2> normed;
    RowMoments moments;
    {
      tiles::WaitForCopies<0>();
      const SixteenRowsBF16<2> heads = RowsAhead<2, BFloat16>::Take(Rows::kHeadsAhead);
      RowsAhead<2, BFloat16>::Copy(call.heads, first_row + step, call.rows, Rows::kHeadsAhead);
      StoreShared(heads, Rows::kHeads + narrow);
      const KeptRows<2> kept(KeptWords::Get(Rows::kKeptAhead, KeptWords::kBranch));
      const SixteenRows<2> s =
          AttendedSum(RowsAhead<2, float>::Take(Rows::kXAhead), heads, vectors, kept, scale);
      moments = MomentsOf(s, call.parameters.norm.epsilon);
      normed = Rounded(
          Normalised(s, moments, vectors + Shared::kNormWeight, vectors + Shared::kNormBias));
      StoreShared(normed, Rows::kNormed + narrow);
      RowsAhead<2, float>::Put(s, Rows::kXAhead);
    }
    // Through the MLP.
    const SixteenRowsBF16<2> grad_mlp =
        KeptRows<2>(KeptWords::Get(Rows::kKeptAhead, KeptWords::kMlp))
            .Of(Rounded(Scaled(grad, scale)));
    StoreShared(grad_mlp, Rows::kGradMlp + narrow);
    Accumulators<2> grad_normed;
#pragma unroll 1
    for (int quarter = 0; quarter < kLayerHidden / 32; ++quarter) {
      SixteenRows<1> active = HiddenNumbers(normed, vectors, quarter);
      Accumulators<1> products;
      Shared::Mlp::Multiply(grad_mlp, Shared::kMlp, 0, quarter, products);
      SixteenRows<1> grad = products.AsRows();
      ForEights<1>([&](int r, int q) {
#pragma unroll
        for (int e = 0; e < 8; ++e) {
          float& v = active.eights[r][q].values[e];
          const float tail = NormalTail<BFloat16>(v);
          grad.eights[r][q].values[e] *= GeluSlope(v, tail);
          v = Gelu(v, tail);
        }
      });
      const KeptRows<1> kept(KeptWords::GetHidden(Rows::kKeptAhead, quarter));
      const SixteenRowsBF16<1> grad_hidden = kept.Of(Rounded(grad));
      StoreSharedPart<Rows::kWide>(kept.Of(Rounded(active)), quarter, Rows::kActive + wide);
      StoreSharedPart<Rows::kWide>(grad_hidden, quarter, Rows::kGradHidden + wide);
      Shared::Hidden::Multiply(grad_hidden, Shared::kHidden, quarter, 0, grad_normed);
    }
    // Through the normalisation, and past it.
    SixteenRows<2> total;
    Load(call.grad_out, first_row, call.rows, total);
    const SixteenRows<2> s = RowsAhead<2, float>::Take(Rows::kXAhead);
    RowsAhead<2, float>::Copy(call.x, first_row + step, call.rows, Rows::kXAhead);
    AddNormGradient(s, moments, vectors + Shared::kNormWeight, grad_normed.AsRows(), total,
                    sums.norm_weight, sums.norm_bias);
    Store(total, first_row, call.rows, call.grad_x);
    // Through the output projection.
    const SixteenRowsBF16<2> grad_output =
        KeptRows<2>(KeptWords::Get(Rows::kKeptAhead, KeptWords::kBranch))
            .Of(Rounded(Scaled(total, scale)));
    KeptWords::Copy(call.kept, first_row + step, call.rows, Rows::kKeptAhead);
    tiles::CommitCopies();
    StoreShared(grad_output, Rows::kGradOutput + narrow);
    Accumulators<2> grad_heads;
    Shared::Output::Multiply(grad_output, Shared::kOutput, 0, 0, grad_heads);
    Store(grad_heads.AsRows(), first_row, call.rows, call.grad_heads);
    __syncthreads();  // all rows are shared before any warp multiplies them
    sums.AddRows();
    __syncthreads();  // all have read the rows before the next ones come
  }
  tiles::WaitForCopies<0>();
  sums.Write(scale, call.scratch + int64_t{blockIdx.x} * PostAttentionGradients::kFloats);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_POST_ATTENTION_BACKWARD_CUH_
