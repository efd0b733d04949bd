// What device code finds on a host compiler in place of a GPU's instructions and CUDA's built-ins.
// To be included by spion/kernels/cuda_tiles/instructions.cuh alone, whose contracts these are.
#ifndef SPION_KERNELS_CUDA_EMULATION_INSTRUCTIONS_H_
#define SPION_KERNELS_CUDA_EMULATION_INSTRUCTIONS_H_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/cuda_emulation/warpgroup.h"

// ---- CUDA's built-ins ----

#undef __shared__
#define __shared__ static  // one thread block runs at a time
#undef __grid_constant__
#define __grid_constant__
#undef __launch_bounds__
#define __launch_bounds__(...)
#define threadIdx (::spion::emulation::ThreadIndex())
#define blockIdx (::spion::emulation::BlockIndex())
#define gridDim (::spion::emulation::GridSize())

using std::max;
using std::min;

inline void __syncthreads() { spion::emulation::BlockBarrier(); }
inline void __syncwarp() { spion::emulation::WarpBarrier(); }
template <typename T>
T __shfl_sync(unsigned, T value, int lane) {
  return spion::emulation::Exchange(value)[lane % spion::emulation::kWarpLanes];
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  const auto lane = static_cast<int>(threadIdx.x) % spion::emulation::kWarpLanes;
  return spion::emulation::Exchange(value)[lane ^ mask];
}
inline int __any_sync(unsigned, bool predicate) {
  const auto all = spion::emulation::Exchange(predicate);
  return std::any_of(all.begin(), all.end(), [](bool any) { return any; }) ? 1 : 0;
}
inline unsigned __ballot_sync(unsigned, bool predicate) {
  const auto all = spion::emulation::Exchange(predicate);
  unsigned lanes = 0;
  for (unsigned lane = 0; lane < 32; ++lane) lanes |= unsigned{all[lane]} << lane;
  return lanes;
}
template <typename T>
T __ldg(const T* from) {
  return *from;
}
inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t __float_as_uint(float value) { return std::bit_cast<uint32_t>(value); }
inline size_t __cvta_generic_to_shared(const void* pointer) {
  return spion::emulation::kSharedStart +
         (static_cast<const char*>(pointer) - spion::emulation::SharedMemory());
}

namespace spion::tiles {

constexpr unsigned kAllLanes = 0xffffffffU;

inline char* SharedMemory() { return emulation::SharedMemory(); }

inline float Exp2(float x) { return std::exp2(x); }

inline uint32_t RoundToTf32(float x) {
  constexpr uint32_t kDropped = 13;  // bits; halves go away from zero
  const auto bits = std::bit_cast<uint32_t>(x);
  if (!std::isfinite(x)) return bits;
  return (bits + (1U << (kDropped - 1))) & ~((1U << kDropped) - 1);
}

inline uint32_t SpreadSigns(uint32_t halves) { return (halves >> 15 & 0x00010001U) * 0xffffU; }
template <int kHalf>
uint32_t SpreadSign(uint32_t halves) {
  return (halves >> (16 * kHalf + 15) & 1U) != 0 ? ~0U : 0U;
}

// ---- Fragments ----

/// The lane's place in the fragments of mma, ldmatrix and movmatrix: row g, words or columns of c.
struct FragmentPlace {
  int g = static_cast<int>(threadIdx.x) % emulation::kWarpLanes / 4;
  int c = static_cast<int>(threadIdx.x) % 4;
};

inline uint16_t HalfOf(uint32_t pair, int i) {
  return static_cast<uint16_t>(i == 0 ? pair : pair >> 16);
}
inline uint32_t PairOf(uint16_t low, uint16_t high) { return low | uint32_t{high} << 16; }

inline uint32_t Transpose8x8(uint32_t pair) {
  const FragmentPlace at;
  const auto all = emulation::Exchange(pair);
  const auto element = [&](int row, int column) {
    return HalfOf(all[4 * row + column / 2], column % 2);
  };
  return PairOf(element(2 * at.c, at.g), element(2 * at.c + 1, at.g));
}

struct MmaOperands {
  uint32_t a[4];
  uint32_t b[2];
};

/// sum += a b, 16 x kInner times kInner x 8, from elements (row of a or column of b, k).
template <int kInner, class ElementOfA, class ElementOfB>
void AddProducts(float (&sum)[4], ElementOfA&& a, ElementOfB&& b) {
  const FragmentPlace at;
  for (int e = 0; e < 4; ++e) {
    for (int k = 0; k < kInner; ++k) {
      sum[e] += a(at.g + 8 * (e / 2), k) * b(2 * at.c + e % 2, k);
    }
  }
}

template <class ToFloat>
void Mma16Bits(float (&sum)[4], const MmaOperands& own, ToFloat&& to_float) {
  const auto all = emulation::Exchange(own);
  AddProducts<16>(
      sum,
      [&](int row, int k) {
        const uint32_t pair = all[4 * (row % 8) + k % 8 / 2].a[row / 8 + 2 * (k / 8)];
        return to_float(HalfOf(pair, k % 2));
      },
      [&](int column, int k) {
        return to_float(HalfOf(all[4 * column + k % 8 / 2].b[k / 8], k % 2));
      });
}
inline void MmaF16(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0,
                   uint32_t b1) {
  Mma16Bits(sum, {{a0, a1, a2, a3}, {b0, b1}},
            [](uint16_t bits) { return __half2float(std::bit_cast<__half>(bits)); });
}
inline void MmaBF16(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                    uint32_t b0, uint32_t b1) {
  Mma16Bits(sum, {{a0, a1, a2, a3}, {b0, b1}},
            [](uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); });
}
inline void MmaTf32(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                    uint32_t b0, uint32_t b1) {
  const auto all = emulation::Exchange(MmaOperands{{a0, a1, a2, a3}, {b0, b1}});
  AddProducts<8>(
      sum,
      [&](int row, int k) {
        return std::bit_cast<float>(all[4 * (row % 8) + k % 4].a[row / 8 + 2 * (k / 4)]);
      },
      [&](int column, int k) { return std::bit_cast<float>(all[4 * column + k % 4].b[k / 4]); });
}

// ---- Shared memory ----

template <int kBytes>
void CopyAsync(uint32_t to, const void* from) {
  emulation::StartCopy(to, from, kBytes);
}
inline void CopyAsyncPastL1(uint32_t to, const void* from) { emulation::StartCopy(to, from, 16); }
inline void CommitCopies() { emulation::CommitCopies(); }
template <int kPending>
void WaitForCopies() {
  emulation::WaitForCopies(kPending);
}

template <size_t kWords>
void LoadShared(uint32_t (&words)[kWords], uint32_t from) {
  std::memcpy(words, emulation::SharedAt(from, sizeof(words)), sizeof(words));
}

template <typename Words>
void StoreGlobal(void* to, const Words& words) {
  *static_cast<Words*>(to) = words;
}

/// The addresses of the 8 rows of each of four matrices.
inline std::array<uint32_t, emulation::kWarpLanes> MatrixRows(uint32_t address) {
  emulation::SharedAt(address, 16);
  return emulation::Exchange(address);
}
inline void LoadMatrices(uint32_t (&words)[4], uint32_t address) {
  const FragmentPlace at;
  const auto rows = MatrixRows(address);
  for (int m = 0; m < 4; ++m) {
    std::memcpy(&words[m], emulation::SharedAt(rows[8 * m + at.g] + 4 * at.c, 4), 4);
  }
}
inline void LoadMatricesTransposed(uint32_t (&words)[4], uint32_t address) {
  const FragmentPlace at;
  const auto rows = MatrixRows(address);
  for (int m = 0; m < 4; ++m) {
    uint16_t pair[2];
    for (int i = 0; i < 2; ++i) {
      std::memcpy(&pair[i], emulation::SharedAt(rows[8 * m + 2 * at.c + i] + 2 * at.g, 2), 2);
    }
    words[m] = PairOf(pair[0], pair[1]);
  }
}
inline void StoreMatrices(uint32_t address, const uint32_t (&words)[4]) {
  const FragmentPlace at;
  const auto rows = MatrixRows(address);
  for (int m = 0; m < 4; ++m) {
    const uint32_t to = rows[8 * m + at.g] + 4 * at.c;
    std::memcpy(emulation::SharedAt(to, 4), &words[m], 4);
    emulation::NoteWrite(to);
  }
}

template <int kNumber, int kThreads>
void NamedBarrier() {
  emulation::Barrier(kNumber, kThreads);
}

template <int kNumber, int kThreads>
void ArriveAtNamedBarrier() {
  emulation::ArriveAtBarrier(kNumber, kThreads);
}

inline void LetNextKernelStart() {}
inline void WaitForKernelBefore() {}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_EMULATION_INSTRUCTIONS_H_
