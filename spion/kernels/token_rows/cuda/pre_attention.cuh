// qkv = norm(x) W^T + b and its gradients, a warp 16 rows.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/layer_vectors.cuh"
#include "spion/kernels/token_rows/cuda/norm_gradient.cuh"
#include "spion/kernels/token_rows/cuda/rows_ahead.cuh"
#include "spion/kernels/token_rows/cuda/weight_rows.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"

namespace spion::cuda {

/// Where things are in shared memory.
struct PreAttentionShared {
  using Weight = WeightRows<kLayerQkv, kLayerWidth, BFloat16, float>;
  static constexpr int kWeight = 0;
  // Of the backward call: kLayerRows rows, of the gradient twice.
  static constexpr int kNormed = kWeight + Weight::kBytes;
  static constexpr int kGrad = kNormed + kLayerRows * 2 * kLayerWidth;
  static constexpr int kGradBytes = kLayerRows * 2 * kLayerQkv;
  static constexpr int kBackwardVectors = kGrad + 2 * kGradBytes;
  static constexpr int kForwardVectors = kNormed;

  /// Floats behind the vectors' place.
  static constexpr int kNormWeight = 0;
  static constexpr int kNormBias = kNormWeight + kLayerWidth;
  static constexpr int kBias = kNormBias + kLayerWidth;
  static constexpr int kVectorBytes = 4 * (kBias + kLayerQkv);
  // What comes ahead.
  static constexpr int kForwardX = kForwardVectors + kVectorBytes;
  static constexpr int kForwardBytes = kForwardX + RowsAhead<2, float>::kBytes;
  static constexpr int kBackwardX = kBackwardVectors + kVectorBytes;
  static constexpr int kBackwardBeside = kBackwardX + RowsAhead<2, float>::kBytes;
  static constexpr int kBackwardBytes = kBackwardBeside + RowsAhead<2, float>::kBytes;
};

/// Copies what all rows need; a barrier must follow. Weight: PreAttentionShared's, or with rows in
/// their own order.
template <class Weight = PreAttentionShared::Weight, class Call>
__device__ __forceinline__ const float* LoadPreAttention(const Call& call, int vectors_at) {
  using Shared = PreAttentionShared;
  auto* vectors = reinterpret_cast<float*>(tiles::SharedMemory() + vectors_at);
  typename Weight::Part(call.qkv.weight).Write(Shared::kWeight);
  CopyVector(call.norm.weight, kLayerWidth, vectors + Shared::kNormWeight);
  CopyVector(call.norm.bias, kLayerWidth, vectors + Shared::kNormBias);
  CopyVector(call.qkv.bias, kLayerQkv, vectors + Shared::kBias);
  return vectors;
}

/// Grid: LayerBlocks(rows, ...) thread blocks of kLayerThreads, which share out the rows.
static __global__ void __launch_bounds__(kLayerThreads)
    PreAttentionForwardKernel(const __grid_constant__ PreAttentionForward call) {
  using Shared = PreAttentionShared;
  const int64_t step = int64_t{gridDim.x} * kLayerRows;
  int64_t first_row = int64_t{blockIdx.x} * kLayerRows + 16 * (threadIdx.x / 32);
  const auto copy = [&](int64_t from_row) {
    RowsAhead<2, float>::Copy(call.x, from_row, call.rows, Shared::kForwardX);
    tiles::CommitCopies();
  };
  const float* vectors = LoadPreAttention(call, Shared::kForwardVectors);
  BeginWithRows();
  copy(first_row);
  __syncthreads();  // all of it is there before any warp multiplies
  for (; first_row < call.rows; first_row += step) {
    tiles::WaitForCopies<0>();
    const SixteenRows<2> x = RowsAhead<2, float>::Take(Shared::kForwardX);
    copy(first_row + step);
    const SixteenRowsBF16<2> normed =
        Rounded(Normalised(x, MomentsOf(x, call.norm.epsilon), vectors + Shared::kNormWeight,
                           vectors + Shared::kNormBias));
#pragma unroll 1
    for (int part = 0; part < 3; ++part) {
      Accumulators<2> sums;
      Shared::Weight::MultiplyTransposed(normed, Shared::kWeight, 2 * part, 0, sums);
      SixteenRows<2> out = sums.AsRows();
      AddToRows<BFloat16>(vectors + Shared::kBias + part * kLayerWidth, out);
      const RowPlaces<kLayerQkv / 32, BFloat16> places(call.out, first_row, call.rows);
      ForEights<2>([&](int r, int q) {
        if (!places.there[r]) return;
        StoreEightOfRow(places.Row(r) + part * kLayerWidth, q, out.eights[r][q]);
      });
    }
  }
}

/// A warp's 16 rows of the gradient, on their way to shared memory: rows beyond `end` are zeros.
struct GradRows {
  using Shared = tiles::SharedRows<2 * kLayerQkv>;

  /// Begins to copy rows first_row .. to `at`. CommitCopies ends the group.
  static __device__ __forceinline__ void Copy(const BFloat16* from, int64_t first_row, int64_t end,
                                              uint32_t at) {
#pragma unroll
    for (int i = 0; i < Shared::kSixteenRows / 16 / 32; ++i) {
      const uint32_t piece = 32 * i + threadIdx.x % 32;
      const uint32_t row = piece / Shared::kChunks;
      const uint32_t to = at + Shared::Offset(row, piece % Shared::kChunks);
      if (first_row + row < end) {
        tiles::CopyAsyncPastL1(SharedAddress(to), from + first_row * kLayerQkv + 8 * piece);
      } else {
        *reinterpret_cast<uint4*>(tiles::SharedMemory() + to) = {0, 0, 0, 0};
      }
    }
  }

  /// sums += rows W, W's rows being in their own order.
  template <class Weight>
  static __device__ __forceinline__ void Multiply(uint32_t at, uint32_t weight,
                                                  Accumulators<2>& sums) {
    const uint32_t lane = threadIdx.x % 32;
#pragma unroll 2
    for (int sixteen = 0; sixteen < kLayerQkv / 16; ++sixteen) {
      const tiles::Fragment a = tiles::LoadMatrices(
          SharedAddress(at) + Shared::Offset(lane % 16, 2 * sixteen + lane / 16));
#pragma unroll
      for (int t = 0; t < 8; t += 2) {
        const tiles::Fragment b = tiles::LoadMatricesTransposed(
            SharedAddress(weight) +
            Weight::Shared::Offset(16 * sixteen + lane % 16, t + lane / 16));
        AddProduct(sums.tiles[t], a, b.words[0], b.words[1]);
        AddProduct(sums.tiles[t + 1], a, b.words[2], b.words[3]);
      }
    }
  }
};

/// The thread block's sums, of the weight's a warp's part: of two warps, each has half of the
/// columns of three times 16 rows.
struct PreAttentionSums {
  static constexpr int kSixteens = kLayerQkv / 16 / (kLayerWarps / 2);
  ColumnProducts<kSixteens, kLayerWidth / 2 / 8> weight;
  ColumnTotals<kSixteens> bias;
  RowTotals norm_weight;
  RowTotals norm_bias;

  static __device__ __forceinline__ int Warp() { return static_cast<int>(threadIdx.x) / 32; }
  static constexpr __host__ __device__ int Row(int warp) { return warp / 2 * (16 * kSixteens); }
  static constexpr __host__ __device__ int Column(int warp) { return warp % 2 * (kLayerWidth / 2); }

  /// The products of the rows in shared memory, the gradient's at `grad`.
  __device__ __forceinline__ void AddRows(uint32_t grad) {
    weight.Add<2 * kLayerQkv, 2 * kLayerWidth>(grad, Row(Warp()), PreAttentionShared::kNormed,
                                               Column(Warp()), bias);
  }

  /// to[PreAttentionGradients::kFloats], of which those of the weight come in the order of Place.
  __device__ __forceinline__ void Write(float* to) const {
    using At = PreAttentionGradients;
    weight.Write(1, to + At::kQkvWeight);
    if (Column(Warp()) == 0) {
      bias.ForEach([&](int column, float sum) { to[At::kQkvBias + Row(Warp()) + column] = sum; });
    }
    auto* buffer = reinterpret_cast<float*>(tiles::SharedMemory() + PreAttentionShared::kNormed);
    WriteTotals(norm_weight, buffer, to + At::kNormWeight);
    WriteTotals(norm_bias, buffer, to + At::kNormBias);
  }
};

/// Where in the gradients a number is that Write leaves.
struct PreAttentionPlace {
  static constexpr __host__ __device__ int Of(int index) {
    using At = PreAttentionGradients;
    using Sums = PreAttentionSums;
    static_assert(decltype(Sums::weight)::kFloats == At::kQkvBias - At::kQkvWeight);
    if (index >= At::kQkvBias) return index;
    const auto place = decltype(Sums::weight)::PlaceOf(index - At::kQkvWeight);
    return At::kQkvWeight + (Sums::Row(place.warp) + place.left) * kLayerWidth +
           OfPosition<float>(Sums::Column(place.warp) + place.right);
  }
};

/// Grid: LayerBlocks(rows, kLayerSumBlocks) thread blocks of kLayerThreads. Leaves [gridDim.x,
/// PreAttentionGradients::kFloats] in scratch.
static __global__ void __launch_bounds__(kLayerThreads, 1)
    PreAttentionBackwardKernel(const __grid_constant__ PreAttentionBackward call) {
  using Shared = PreAttentionShared;
  using Weight = WeightRows<kLayerQkv, kLayerWidth, void, float>;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int64_t step = int64_t{gridDim.x} * kLayerRows;
  uint32_t grad = Shared::kGrad;  // of this round; that of the next is in the other place
  const uint32_t both = 2 * Shared::kGrad + Shared::kGradBytes;
  const uint32_t of_warp = warp * GradRows::Shared::kSixteenRows;
  const int64_t first = int64_t{blockIdx.x} * kLayerRows;
  const auto copy = [&](int64_t first_row, uint32_t grad_at) {
    GradRows::Copy(call.grad_out, first_row, call.rows, grad_at + of_warp);
    RowsAhead<2, float>::Copy(call.x, first_row, call.rows, Shared::kBackwardX);
    if (call.grad_beside != nullptr) {
      RowsAhead<2, float>::Copy(call.grad_beside, first_row, call.rows, Shared::kBackwardBeside);
    }
    tiles::CommitCopies();
  };
  const float* vectors = LoadPreAttention<Weight>(call, Shared::kBackwardVectors);
  BeginWithRows();
  copy(first + 16 * warp, grad);
  PreAttentionSums sums;
  __syncthreads();  // all of it is there before any warp multiplies
  for (int64_t base = first; base < call.rows; base += step) {
    const int64_t first_row = base + 16 * warp;
    tiles::WaitForCopies<0>();
    __syncwarp();  // the warp's rows of the gradient are there
    const SixteenRows<2> x = RowsAhead<2, float>::Take(Shared::kBackwardX);
    SixteenRows<2> total;
    if (call.grad_beside == nullptr) {
      total.Clear();
    } else {
      total = RowsAhead<2, float>::Take(Shared::kBackwardBeside);
    }
    copy(first_row + step, both - grad);
    const RowMoments moments = MomentsOf(x, call.norm.epsilon);
    StoreShared(
        Rounded(Normalised(x, moments, vectors + Shared::kNormWeight, vectors + Shared::kNormBias)),
        Shared::kNormed + warp * 16 * 2 * kLayerWidth);
    Accumulators<2> products;
    GradRows::Multiply<Weight>(grad + of_warp, Shared::kWeight, products);
    AddNormGradient(x, moments, vectors + Shared::kNormWeight, products.AsRows(), total,
                    sums.norm_weight, sums.norm_bias);
    Store(total, first_row, call.rows, call.grad_x);
    __syncthreads();  // all rows are shared before any warp multiplies them
    sums.AddRows(grad);
    __syncthreads();  // all have read the rows before the next ones come
    grad = both - grad;
  }
  tiles::WaitForCopies<0>();
  sums.Write(call.scratch + int64_t{blockIdx.x} * PreAttentionGradients::kFloats);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_PRE_ATTENTION_CUH_
