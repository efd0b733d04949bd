// How a warp multiplies 16 x 16 tiles of scores: one policy for each kind of number.
//
// All policies share one way of spreading a matrix over a warp, made so that a row goes from memory
// to the tensor cores and back in 16-byte pieces without shared memory. Thread `lane` is
// (g, c) = (lane / 4, lane % 4):
//
//   Rows (rows.cuh)     16 rows x d. A slice of d is what the four threads of a row hold with one
//                       vector each: thread c has the elements c * kVector .. of rows g and g + 8.
//   float s[2][4]       16 x 16 scores as mma leaves them: s[t][0..1] are row g, columns 8 t + 2 c
//                       and + 1; s[t][2..3] are row g + 8.
//   float out[d / 8][4] 16 rows x d sums: out[t][0..1] are two elements of thread c's vector of row
//                       g, out[t][2..3] of row g + 8; t = slice * (kVector / 2) + half vector.
//
// A dot product does not mind in which order its terms are added, so "column k of the fragment" may
// be any element as long as both operands agree: MultiplyTransposed (S = A B^T) takes its operands
// as loaded. Multiply (O = S B) needs B's rows as the inner dimension, so Transpose first exchanges
// 8 x 8 pieces between the threads of the warp.
#ifndef SPION_KERNELS_CUDA_TILES_MATH_CUH_
#define SPION_KERNELS_CUDA_TILES_MATH_CUH_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>

#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/cuda_tiles/lanes.cuh"
#include "spion/kernels/cuda_tiles/shared_rows.cuh"

namespace spion::tiles {

// ---- fp16 and bf16: mma.m16n8k16 -------------------------------------------------------------

/// Two floats rounded to T, the first in the low half.
template <typename T>
__device__ __forceinline__ uint32_t PackPair(float low, float high);

template <>
__device__ __forceinline__ uint32_t PackPair<Float16>(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  uint32_t bits;
  memcpy(&bits, &pair, sizeof(bits));
  return bits;
}

template <>
__device__ __forceinline__ uint32_t PackPair<BFloat16>(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  uint32_t bits;
  memcpy(&bits, &pair, sizeof(bits));
  return bits;
}

template <typename T>
__device__ __forceinline__ void Mma16(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                      uint32_t a3, uint32_t b0, uint32_t b1);

template <>
__device__ __forceinline__ void Mma16<Float16>(float (&sum)[4], uint32_t a0, uint32_t a1,
                                               uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1) {
  MmaF16(sum, a0, a1, a2, a3, b0, b1);
}

template <>
__device__ __forceinline__ void Mma16<BFloat16>(float (&sum)[4], uint32_t a0, uint32_t a1,
                                                uint32_t a2, uint32_t a3, uint32_t b0,
                                                uint32_t b1) {
  MmaBF16(sum, a0, a1, a2, a3, b0, b1);
}

/// fp16 or bf16 on the tensor cores.
template <typename T>
struct Half16 {
  using Element = T;
  static constexpr int kElementsPerWord = 2;
  static constexpr int kMaxWords = 4;  // of a vector: 16 bytes

  static __device__ __forceinline__ uint32_t Operand(uint32_t word) { return word; }
  static __device__ __forceinline__ void Store(uint32_t* words, int half, float first,
                                               float second) {
    words[half] = PackPair<T>(first, second);
  }

  /// s += a b^T over one slice.
  template <int kWords>
  static __device__ __forceinline__ void MultiplyTransposed(float (*s)[4],
                                                            const uint32_t (&a)[2][kWords],
                                                            const uint32_t (&b)[2][kWords]) {
#pragma unroll
    for (int k = 0; k < kWords; k += 2) {
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        Mma16<T>(s[t], a[0][k], a[1][k], a[0][k + 1], a[1][k + 1], b[t][k], b[t][k + 1]);
      }
    }
  }

  /// Makes one slice of b ready for Multiply.
  template <int kWords>
  static __device__ __forceinline__ void Transpose(uint32_t (&b)[2][kWords]) {
#pragma unroll
    for (int t = 0; t < kWords; ++t) {
      b[0][t] = Transpose8x8(b[0][t]);
      b[1][t] = Transpose8x8(b[1][t]);
    }
  }

  /// 16 x 16 scores as the left operand of a product.
  using Scores = Fragment;
  static __device__ __forceinline__ Scores Pack(const float (*s)[4]) {
    return {{PackPair<T>(s[0][0], s[0][1]), PackPair<T>(s[0][2], s[0][3]),
             PackPair<T>(s[1][0], s[1][1]), PackPair<T>(s[1][2], s[1][3])}};
  }

  /// out += s b over one slice; `out` is that slice's part, b transposed.
  template <int kWords>
  static __device__ __forceinline__ void Multiply(float (*out)[4], const Scores& s,
                                                  const uint32_t (&b)[2][kWords]) {
#pragma unroll
    for (int t = 0; t < kWords; ++t) {
      Mma16<T>(out[t], s.words[0], s.words[1], s.words[2], s.words[3], b[0][t], b[1][t]);
    }
  }

  /// Dots of equal rows are the diagonal of a b^T, which costs less than unpacking the operands.
  /// Row j of the first eight has its dot in lane 4 j + j / 2, as element j % 2 of tile 0; the
  /// others have theirs in tile 1.
  template <int kSlices, class A, class B>
  static __device__ __forceinline__ void ColumnDots(const A& a, const B& b, float (&dots)[2][2]) {
    float s[2][4];
    Products<kSlices>(a, b, s);
    const int first = 9 * LaneInGroup();  // of row 2 c
    dots[0][0] = __shfl_sync(kAllLanes, s[0][0], first);
    dots[0][1] = __shfl_sync(kAllLanes, s[0][1], first + 4);
    dots[1][0] = __shfl_sync(kAllLanes, s[1][2], first);
    dots[1][1] = __shfl_sync(kAllLanes, s[1][3], first + 4);
  }
  template <int kSlices, class A, class B>
  static __device__ __forceinline__ float2 RowDots(const A& a, const B& b) {
    float s[2][4];
    Products<kSlices>(a, b, s);
    const int g = LaneGroup();
    const bool odd = g % 2 == 1;  // of the sending lane g / 2 too: it sends what its group needs
    return {__shfl_sync(kAllLanes, odd ? s[0][1] : s[0][0], 4 * g + g / 2),
            __shfl_sync(kAllLanes, odd ? s[1][3] : s[1][2], 4 * g + g / 2)};
  }

 private:
  template <int kSlices, class A, class B>
  static __device__ __forceinline__ void Products(const A& a, const B& b, float (&s)[2][4]) {
#pragma unroll
    for (int t = 0; t < 2; ++t) s[t][0] = s[t][1] = s[t][2] = s[t][3] = 0;
#pragma unroll
    for (int i = 0; i < kSlices; ++i) {
      typename A::Slice x;
      typename B::Slice y;
      a.GetLoaded(i, x);
      b.GetLoaded(i, y);
      MultiplyTransposed(s, x, y);
    }
  }
};

// ---- fp32: mma.m16n8k8 -----------------------------------------------------------------------

/// tf32 on the tensor cores.
struct Tf32Product {
  static __device__ __forceinline__ uint32_t Operand(uint32_t word) {
    return RoundToTf32(__uint_as_float(word));
  }
  static __device__ __forceinline__ void Mma(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                             uint32_t a3, uint32_t b0, uint32_t b1) {
    MmaTf32(sum, a0, a1, a2, a3, b0, b1);
  }
};

/// The same product in fp32 arithmetic: operands travel between the threads by shuffles.
struct ExactProduct {
  static __device__ __forceinline__ uint32_t Operand(uint32_t word) { return word; }
  static __device__ __forceinline__ void Mma(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                             uint32_t a3, uint32_t b0, uint32_t b1) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = lane & ~3;
    const int column = (lane & 3) * 8;  // first lane that holds column 2 c of b
    const auto at = [](uint32_t word, int source) {
      return __uint_as_float(__shfl_sync(kAllLanes, word, source));
    };
    const auto add = [&](uint32_t a_low, uint32_t a_high, uint32_t b, int c) {
      const float x = at(a_low, row + c);
      const float y = at(a_high, row + c);
      const float u = at(b, column + c);
      const float v = at(b, column + 4 + c);
      sum[0] = fmaf(x, u, sum[0]);
      sum[1] = fmaf(x, v, sum[1]);
      sum[2] = fmaf(y, u, sum[2]);
      sum[3] = fmaf(y, v, sum[3]);
    };
#pragma unroll 1  // unrolled, the kernels take minutes to compile
    for (int c = 0; c < 4; ++c) {
      add(a0, a1, b0, c);
      add(a2, a3, b1, c);
    }
  }
};

/// fp32 in memory, multiplied as Product says.
template <typename Product>
struct Single32 {
  using Element = float;
  static constexpr int kElementsPerWord = 1;
  static constexpr int kMaxWords = 4;

  static __device__ __forceinline__ uint32_t Operand(uint32_t word) {
    return Product::Operand(word);
  }
  static __device__ __forceinline__ void Store(uint32_t* words, int half, float first,
                                               float second) {
    words[2 * half] = __float_as_uint(first);
    words[2 * half + 1] = __float_as_uint(second);
  }

  template <int kWords>
  static __device__ __forceinline__ void MultiplyTransposed(float (*s)[4],
                                                            const uint32_t (&a)[2][kWords],
                                                            const uint32_t (&b)[2][kWords]) {
#pragma unroll
    for (int k = 0; k < kWords; k += 2) {
#pragma unroll
      for (int t = 0; t < 2; ++t) {
        Product::Mma(s[t], a[0][k], a[1][k], a[0][k + 1], a[1][k + 1], b[t][k], b[t][k + 1]);
      }
    }
  }

  /// The inner dimension's slots c and c + 4 are rows 2 c and 2 c + 1 of b, as the scores lie: the
  /// thread gets these two elements of column g, for each half vector.
  template <int kWords>
  static __device__ __forceinline__ void Transpose(uint32_t (&b)[2][kWords]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int g = lane / 4;
    const int source = 8 * (lane % 4) + g / 2;  // row 2 c, the vector that holds column g
#pragma unroll
    for (auto& row : b) {
#pragma unroll
      for (int t = 0; t < kWords; t += 2) {
        const uint32_t even = row[t];
        const uint32_t odd = row[t + 1];
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const uint32_t of_even = __shfl_sync(kAllLanes, even, source + 4 * r);
          const uint32_t of_odd = __shfl_sync(kAllLanes, odd, source + 4 * r);
          row[t + r] = g % 2 == 0 ? of_even : of_odd;
        }
      }
    }
  }

  struct Scores {
    uint32_t words[2][4];  // of columns 0 to 7, 8 to 15
  };
  static __device__ __forceinline__ Scores Pack(const float (*s)[4]) {
    Scores packed;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      // The order of mma's operand: both rows of slot c, both of slot c + 4.
      packed.words[r][0] = Product::Operand(__float_as_uint(s[r][0]));
      packed.words[r][1] = Product::Operand(__float_as_uint(s[r][2]));
      packed.words[r][2] = Product::Operand(__float_as_uint(s[r][1]));
      packed.words[r][3] = Product::Operand(__float_as_uint(s[r][3]));
    }
    return packed;
  }

  template <int kWords>
  static __device__ __forceinline__ void Multiply(float (*out)[4], const Scores& s,
                                                  const uint32_t (&b)[2][kWords]) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
#pragma unroll
      for (int t = 0; t < kWords / 2; ++t) {
        Product::Mma(out[t], s.words[r][0], s.words[r][1], s.words[r][2], s.words[r][3],
                     b[r][2 * t], b[r][2 * t + 1]);
      }
    }
  }

  /// In fp32, whatever the products are rounded to.
  template <int kSlices, class A, class B>
  static __device__ __forceinline__ float2 RowDots(const A& a, const B& b) {
    float dots[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < kSlices; ++i) {
      typename A::Slice x;
      typename B::Slice y;
      a.GetLoaded(i, x);
      b.GetLoaded(i, y);
#pragma unroll
      for (int w = 0; w < A::Layout::kWords; ++w) {
        dots[0] = fmaf(__uint_as_float(x[0][w]), __uint_as_float(y[0][w]), dots[0]);
        dots[1] = fmaf(__uint_as_float(x[1][w]), __uint_as_float(y[1][w]), dots[1]);
      }
    }
    return {RowSum(dots[0]), RowSum(dots[1])};
  }
  template <int kSlices, class A, class B>
  static __device__ __forceinline__ void ColumnDots(const A& a, const B& b, float (&dots)[2][2]) {
    RowsToColumns(RowDots<kSlices>(a, b), dots);
  }
};

using MathF16 = Half16<Float16>;
using MathBF16 = Half16<BFloat16>;
using MathTf32 = Single32<Tf32Product>;
using MathF32 = Single32<ExactProduct>;

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_MATH_CUH_
