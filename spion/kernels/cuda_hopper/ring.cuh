// A ring of tiles in shared memory that a copying thread fills and warpgroups read.
#ifndef SPION_KERNELS_CUDA_HOPPER_RING_CUH_
#define SPION_KERNELS_CUDA_HOPPER_RING_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/warpgroup_instructions.cuh"

namespace spion::cuda::hopper {

/// How a ring's tiles are read: by products alone, or by loads of each lane, too. A lane's loads
/// are known to be over when that lane arrives.
enum class ReadBy { kProducts, kLoads };

/// Each side has an object of its own and takes up the stages in turn. kStageBytes is a multiple of
/// 1024; the barriers take kBarrierBytes.
template <int kStages, uint32_t kStageBytes, ReadBy kReadBy = ReadBy::kProducts>
class Ring {
 public:
  static constexpr uint32_t kBytes = kStages * kStageBytes;
  static constexpr uint32_t kBarrierBytes = kStages * 16;

  __device__ __forceinline__ Ring(uint32_t tiles, uint32_t barriers)
      : tiles_(tiles), barriers_(barriers) {}

  /// Once, by one thread, before anyone uses the ring. Every warp of the readers releases.
  /// So do single_readers, each a thread.
  __device__ __forceinline__ void Init(uint32_t reading_warps, uint32_t single_readers = 0) const {
    constexpr uint32_t kOfWarp = kReadBy == ReadBy::kLoads ? 32 : 1;
    for (uint32_t i = 0; i < kStages; ++i) {
      tiles::InitBarrier(barriers_ + 16 * i, 1);
      tiles::InitBarrier(barriers_ + 16 * i + 8, kOfWarp * reading_warps + single_readers);
    }
  }

  /// Waits until the stage is free and announces what will be copied there.
  __device__ __forceinline__ void BeginFill(uint32_t bytes) const {
    WaitUntilFree();
    tiles::ArriveAnnouncing(barrier(), bytes);
  }
  /// For a stage that the thread stores to itself, between these two.
  __device__ __forceinline__ void WaitUntilFree() const {
    tiles::WaitForPhase(barrier() + 8, phase_ ^ 1);
  }
  __device__ __forceinline__ void EndFill() const { tiles::Arrive(barrier()); }
  __device__ __forceinline__ void WaitUntilFull() const { WaitForPhaseOf(barrier()); }
  /// For a barrier that goes through a phase whenever the stage is filled.
  __device__ __forceinline__ void WaitForPhaseOf(uint32_t barrier) const {
    tiles::WaitForPhase(barrier, phase_);
  }
  /// The warp has done with a stage: this one, or one that it left by Next.
  __device__ __forceinline__ void Release() const { ReleaseStage(barrier()); }
  static __device__ __forceinline__ void ReleaseStage(uint32_t barrier) {
    if (kReadBy == ReadBy::kLoads || threadIdx.x % 32 == 0) tiles::Arrive(barrier + 8);
  }
  __device__ __forceinline__ void Next() {
    if (++stage_ == kStages) {
      stage_ = 0;
      phase_ ^= 1;
    }
  }

  __device__ __forceinline__ uint32_t tile() const { return tiles_ + stage_ * kStageBytes; }
  /// The one that copies report to.
  __device__ __forceinline__ uint32_t barrier() const { return barriers_ + 16 * stage_; }

 private:
  uint32_t tiles_;
  uint32_t barriers_;
  uint32_t stage_ = 0;
  uint32_t phase_ = 0;
};

/// Two rings, one after the other, either of them perhaps a pair itself.
template <class First, class Second>
struct RingPair {
  static constexpr uint32_t kBytes = First::kBytes + Second::kBytes;
  static constexpr uint32_t kBarrierBytes = First::kBarrierBytes + Second::kBarrierBytes;

  First first;
  Second second;

  __device__ __forceinline__ RingPair(uint32_t tiles, uint32_t barriers)
      : first(tiles, barriers), second(tiles + First::kBytes, barriers + First::kBarrierBytes) {}
  __device__ __forceinline__ void Init(uint32_t reading_warps) const {
    first.Init(reading_warps);
    second.Init(reading_warps);
  }
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_CUDA_HOPPER_RING_CUH_
