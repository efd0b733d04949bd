// What device code finds on a host compiler in place of the instructions of sm_90a. To be included
// by spion/kernels/cuda_tiles/warpgroup_instructions.cuh alone, whose contracts these are.
#ifndef SPION_KERNELS_CUDA_EMULATION_WARPGROUP_INSTRUCTIONS_H_
#define SPION_KERNELS_CUDA_EMULATION_WARPGROUP_INSTRUCTIONS_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_emulation/instructions.h"
#include "spion/kernels/cuda_emulation/warpgroup.h"

inline int __popc(uint32_t bits) { return std::popcount(bits); }
inline int __ffs(int bits) {
  return bits == 0 ? 0 : 1 + std::countr_zero(static_cast<uint32_t>(bits));
}

namespace spion::tiles {

using TileMap = emulation::TileSource;

inline void InitBarrier(uint32_t barrier, uint32_t arrivals) {
  emulation::InitPhases(barrier, arrivals);
}
inline void PublishBarriers() {}
inline void Arrive(uint32_t barrier) { emulation::ArriveAtPhase(barrier, 0); }
inline void ArriveAnnouncing(uint32_t barrier, uint32_t bytes) {
  emulation::ArriveAtPhase(barrier, bytes);
}
inline void WaitForPhase(uint32_t barrier, uint32_t parity) {
  while (!emulation::PhaseIsOver(barrier, parity)) {
  }
}

inline void CopyTile(uint32_t to, const TileMap& map, uint32_t barrier, int32_t row, int32_t head,
                     int32_t example) {
  emulation::StartTileCopy(to, map, barrier, row, head, example);
}
inline void CopyBulk(uint32_t to, const void* from, uint32_t bytes, uint32_t barrier) {
  emulation::StartBulkCopy(to, from, bytes, barrier);
}

inline void StoreShared(uint32_t to, const uint4& words) {
  std::memcpy(emulation::SharedAt(to, sizeof(words)), &words, sizeof(words));
}
inline void PublishWrites() { emulation::PublishWrites(); }
inline void AddToGlobal(float* to, const float4& values) {
  to[0] += values.x;
  to[1] += values.y;
  to[2] += values.z;
  to[3] += values.w;
}

inline void CountUp(uint32_t* counter) {
  ++*counter;
  emulation::MayFallBehind();
}
inline void WaitForCount(const uint32_t* counter, uint32_t least) {
  while (*counter < least) emulation::Yield();
}
inline uint32_t TakeNumber(uint32_t* counter) { return (*counter)++; }

template <int kRegisters>
void GiveRegistersBack() {}
template <int kRegisters>
void TakeRegisters() {}

inline void Or(uint32_t& word, uint32_t bits) { word |= bits; }

inline void BeginProducts() { emulation::BeginProducts(); }
inline void CommitProducts() { emulation::CommitProducts(); }
template <int kPending>
void WaitForProducts() {
  emulation::WaitForProducts(kPending);
}
template <int kValues>
void Receive(float (&)[kValues]) {}

template <class T>
float WidenBits(uint16_t bits) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return std::bit_cast<float>(uint32_t{bits} << 16);
  } else {
    return __half2float(std::bit_cast<__half>(bits));
  }
}

template <class T, bool kByColumns, Adds kAdds, bool kLeftByColumns = false, int kValues>
void Product(float (&sum)[kValues], uint64_t left, uint64_t right) {
  emulation::StartProduct({.sum = sum,
                           .values = kValues,
                           .left = nullptr,
                           .left_name = left,
                           .right_name = right,
                           .left_by_columns = kLeftByColumns,
                           .by_columns = kByColumns,
                           .adds = kAdds == Adds::kYes,
                           .widen = WidenBits<T>});
}
template <class T, bool kByColumns, Adds kAdds, int kValues>
void Product(float (&sum)[kValues], const uint32_t (&left)[4], uint64_t right) {
  emulation::StartProduct({.sum = sum,
                           .values = kValues,
                           .left = left,
                           .left_name = 0,
                           .right_name = right,
                           .left_by_columns = false,
                           .by_columns = kByColumns,
                           .adds = kAdds == Adds::kYes,
                           .widen = WidenBits<T>});
}

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_EMULATION_WARPGROUP_INSTRUCTIONS_H_
