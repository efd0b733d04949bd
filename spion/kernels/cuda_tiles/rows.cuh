// 16 rows of a head, held by one warp; math.cuh has the layout.
#ifndef SPION_KERNELS_CUDA_TILES_ROWS_CUH_
#define SPION_KERNELS_CUDA_TILES_ROWS_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/math.cuh"

namespace spion::tiles {

template <class Math, int kHeadDim>
struct RowLayout {
  using MathType = Math;
  static constexpr int kWordsPerRow = kHeadDim / Math::kElementsPerWord;
  static constexpr int kWords =  // of a thread's vector
      kWordsPerRow / 4 < Math::kMaxWords ? kWordsPerRow / 4 : Math::kMaxWords;
  static constexpr int kSlices = kWordsPerRow / (4 * kWords);
  static constexpr int kVector = kWords * Math::kElementsPerWord;  // elements
  static constexpr int kTilesPerSlice = kVector / 2;               // of 8 columns, in the sums
};

/// 16 x d sums, in the layout of math.cuh.
template <int kHeadDim>
struct RowSums {
  float tile[kHeadDim / 8][4] = {};

  /// Of row g (0) or g + 8 (1).
  __device__ __forceinline__ void ClearRow(int row) {
#pragma unroll
    for (auto& t : tile) t[2 * row] = t[2 * row + 1] = 0;
  }
  __device__ __forceinline__ void Scale(float first_row, float second_row) {
#pragma unroll
    for (auto& t : tile) {
      t[0] *= first_row;
      t[1] *= first_row;
      t[2] *= second_row;
      t[3] *= second_row;
    }
  }
};

/// Where a thread's part of a head's rows is: rows g, g + 8, ... of [L, d]. A head spans less than
/// 2^32 bytes, so an offset is one 32-bit product.
template <class Math, int kHeadDim>
class RowPointer {
 public:
  using T = typename Math::Element;

  __device__ __forceinline__ RowPointer(const T* head, int64_t row_stride)
      : head_(reinterpret_cast<const char*>(head)),
        row_bytes_(static_cast<uint32_t>(row_stride) * sizeof(T)),
        lane_bytes_(static_cast<uint32_t>(LaneGroup()) * row_bytes_ +
                    LaneInGroup() * RowLayout<Math, kHeadDim>::kVector * sizeof(T)) {}

  /// The thread's vector of slice 0 in the first of 8 rows.
  __device__ __forceinline__ const T* At(int32_t row) const {
    return reinterpret_cast<const T*>(head_ +
                                      (static_cast<uint32_t>(row) * row_bytes_ + lane_bytes_));
  }

 private:
  const char* head_;
  uint32_t row_bytes_;
  uint32_t lane_bytes_;
};

template <class Math, int kWords>
__device__ __forceinline__ void RoundSlice(uint32_t (&words)[2][kWords]) {
#pragma unroll
  for (int w = 0; w < kWords; ++w) {
    words[0][w] = Math::Operand(words[0][w]);
    words[1][w] = Math::Operand(words[1][w]);
  }
}

/// One slice of 8 rows.
template <int kWords, typename T>
__device__ __forceinline__ void LoadVector(uint32_t (&words)[kWords], const T* from) {
  if constexpr (kWords == 4) {
    const uint4 v = __ldg(reinterpret_cast<const uint4*>(from));
    words[0] = v.x;
    words[1] = v.y;
    words[2] = v.z;
    words[3] = v.w;
  } else {
    const uint2 v = __ldg(reinterpret_cast<const uint2*>(from));
    words[0] = v.x;
    words[1] = v.y;
  }
}

/// 16 rows in registers. Life: Load, then GetLoaded; Round, then GetOperand; Transpose, then
/// GetTransposed.
template <class Math, int kHeadDim>
class RegisterRows {
 public:
  using Layout = RowLayout<Math, kHeadDim>;
  using Slice = uint32_t[2][Layout::kWords];

  __device__ __forceinline__ void Load(const RowPointer<Math, kHeadDim>& rows, int32_t first_row) {
    const auto* low = rows.At(first_row);
    const auto* high = rows.At(first_row + 8);
#pragma unroll
    for (int i = 0; i < Layout::kSlices; ++i) {
      LoadVector(words_[i][0], low + 4 * Layout::kVector * i);
      LoadVector(words_[i][1], high + 4 * Layout::kVector * i);
    }
  }
  /// The same by way of shared memory: Prefetch in the background, Take when it is there. `stage`
  /// is the warp's, kStageBytes long.
  static constexpr int kStageBytes = Layout::kSlices * 2 * Layout::kWords * 4 * 32;
  static __device__ __forceinline__ void Prefetch(uint32_t stage,
                                                  const RowPointer<Math, kHeadDim>& rows,
                                                  int32_t first_row) {
    const auto* low = rows.At(first_row);
    const auto* high = rows.At(first_row + 8);
#pragma unroll
    for (int i = 0; i < Layout::kSlices; ++i) {
      CopyAsync<4 * Layout::kWords>(StageVector(stage, i, 0), low + 4 * Layout::kVector * i);
      CopyAsync<4 * Layout::kWords>(StageVector(stage, i, 1), high + 4 * Layout::kVector * i);
    }
  }
  __device__ __forceinline__ void Take(uint32_t stage, const RowPointer<Math, kHeadDim>&, int32_t) {
#pragma unroll
    for (int i = 0; i < Layout::kSlices; ++i) {
      LoadShared(words_[i][0], StageVector(stage, i, 0));
      LoadShared(words_[i][1], StageVector(stage, i, 1));
    }
  }
  __device__ __forceinline__ void Round() {
#pragma unroll
    for (int i = 0; i < Layout::kSlices; ++i) RoundSlice<Math>(words_[i]);
  }
  __device__ __forceinline__ void Transpose() {
#pragma unroll
    for (int i = 0; i < Layout::kSlices; ++i) Math::Transpose(words_[i]);
  }
  __device__ __forceinline__ void GetLoaded(int slice, Slice& words) const {
#pragma unroll
    for (int w = 0; w < Layout::kWords; ++w) {
      words[0][w] = words_[slice][0][w];
      words[1][w] = words_[slice][1][w];
    }
  }
  __device__ __forceinline__ void GetOperand(int slice, Slice& words) const {
    GetLoaded(slice, words);
  }
  __device__ __forceinline__ void GetTransposed(int slice, Slice& words) const {
    GetLoaded(slice, words);
  }

 private:
  static __device__ __forceinline__ uint32_t StageVector(uint32_t stage, int slice, int row) {
    return stage + 4 * Layout::kWords * (32 * (2 * slice + row) + threadIdx.x % 32);
  }

  Slice words_[Layout::kSlices];
};

/// 16 rows left in memory, read slice by slice with every use: for head dimensions that the
/// registers have no room for. As RegisterRows to its users.
template <class Math, int kHeadDim>
class StreamedRows {
 public:
  using Layout = RowLayout<Math, kHeadDim>;
  using Slice = uint32_t[2][Layout::kWords];

  __device__ __forceinline__ void Load(const RowPointer<Math, kHeadDim>& rows, int32_t first_row) {
    low_ = rows.At(first_row);
    high_ = rows.At(first_row + 8);
  }
  static constexpr int kStageBytes = 0;
  static __device__ __forceinline__ void Prefetch(uint32_t, const RowPointer<Math, kHeadDim>&,
                                                  int32_t) {}
  __device__ __forceinline__ void Take(uint32_t, const RowPointer<Math, kHeadDim>& rows,
                                       int32_t first_row) {
    Load(rows, first_row);
  }
  __device__ __forceinline__ void Round() {}
  __device__ __forceinline__ void Transpose() {}
  __device__ __forceinline__ void GetLoaded(int slice, Slice& words) const {
    LoadVector(words[0], low_ + 4 * Layout::kVector * slice);
    LoadVector(words[1], high_ + 4 * Layout::kVector * slice);
  }
  __device__ __forceinline__ void GetOperand(int slice, Slice& words) const {
    GetLoaded(slice, words);
    RoundSlice<Math>(words);
  }
  __device__ __forceinline__ void GetTransposed(int slice, Slice& words) const {
    GetOperand(slice, words);
    Math::Transpose(words);
  }

 private:
  const typename Math::Element* low_ = nullptr;
  const typename Math::Element* high_ = nullptr;
};

/// Rows that are walked over: in registers if a thread's share of them is at most 16.
template <class Math, int kHeadDim>
using WalkedRows = std::conditional_t<(RowLayout<Math, kHeadDim>::kWordsPerRow <= 32),
                                      RegisterRows<Math, kHeadDim>, StreamedRows<Math, kHeadDim>>;

/// s = a b^T, 16 x 16
template <class A, class B>
__device__ __forceinline__ void MultiplyTransposed(float (*s)[4], const A& a, const B& b) {
#pragma unroll
  for (int t = 0; t < 2; ++t) s[t][0] = s[t][1] = s[t][2] = s[t][3] = 0;
#pragma unroll
  for (int i = 0; i < A::Layout::kSlices; ++i) {
    typename A::Slice x;
    typename B::Slice y;
    a.GetOperand(i, x);
    b.GetOperand(i, y);
    A::Layout::MathType::MultiplyTransposed(s, x, y);
  }
}

/// sums += s b; s is 16 x 16, b is transposed
template <int kHeadDim, class B>
__device__ __forceinline__ void Multiply(RowSums<kHeadDim>& sums,
                                         const typename B::Layout::MathType::Scores& s,
                                         const B& b) {
#pragma unroll
  for (int i = 0; i < B::Layout::kSlices; ++i) {
    typename B::Slice y;
    b.GetTransposed(i, y);
    B::Layout::MathType::Multiply(&sums.tile[i * B::Layout::kTilesPerSlice], s, y);
  }
}

/// The dot products of each row of a with the same row of b, as loaded, for rows g (x), g + 8 (y).
template <class A, class B>
__device__ __forceinline__ float2 RowDots(const A& a, const B& b) {
  return A::Layout::MathType::template RowDots<A::Layout::kSlices>(a, b);
}

/// The same for the four columns of a thread's scores: 2 c, 2 c + 1, 8 + 2 c, 8 + 2 c + 1.
template <class A, class B>
__device__ __forceinline__ void ColumnDots(const A& a, const B& b, float (&dots)[2][2]) {
  A::Layout::MathType::template ColumnDots<A::Layout::kSlices>(a, b, dots);
}

/// Writes the sums, rounded to the element type, to 16 rows of a head.
template <class Math, int kHeadDim>
__device__ __forceinline__ void StoreRows(const RowSums<kHeadDim>& sums,
                                          typename Math::Element* head, int64_t row_stride,
                                          int32_t first_row) {
  using Layout = RowLayout<Math, kHeadDim>;
  auto* first = head + (first_row + LaneGroup()) * row_stride + LaneInGroup() * Layout::kVector;
#pragma unroll
  for (int s = 0; s < Layout::kSlices; ++s) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      uint32_t words[Layout::kWords];
#pragma unroll
      for (int t = 0; t < Layout::kTilesPerSlice; ++t) {
        const float(&tile)[4] = sums.tile[s * Layout::kTilesPerSlice + t];
        Math::Store(words, t, tile[2 * r], tile[2 * r + 1]);
      }
      auto* to = first + 8 * r * row_stride + 4 * Layout::kVector * s;
      if constexpr (Layout::kWords == 4) {
        *reinterpret_cast<uint4*>(to) = {words[0], words[1], words[2], words[3]};
      } else {
        *reinterpret_cast<uint2*>(to) = {words[0], words[1]};
      }
    }
  }
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_ROWS_CUH_
