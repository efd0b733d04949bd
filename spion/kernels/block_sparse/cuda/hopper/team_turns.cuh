// Teams of one warpgroup that begin their products in turns, so that one computes weights while
// another's products run.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAM_TURNS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAM_TURNS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_hopper/tiles.cuh"

namespace spion::cuda::hopper {

/// The first team begins. Teams have each their own number of steps: one leaves after its last, and
/// the others go on. As Turns (teams.cuh), but in shared memory, after the rings.
template <class Traits>
class TeamTurns {
  static_assert(Traits::kTeamGroups == 1);

  /// A team waits at its barrier; `next` has the turn after it. Only who has the turn looks there.
  struct Seat {
    uint64_t barrier;
    uint64_t next;
  };

 public:
  static constexpr uint32_t kBytes = Traits::kTeams * sizeof(Seat);

  /// Once, by one thread, before anyone waits.
  static __device__ __forceinline__ void Init() {
    for (uint32_t team = 0; team < Traits::kTeams; ++team) {
      tiles::InitBarrier(BarrierOf(team), kGroupThreads / 32);
      Seats()[team].next = (team + 1) % Traits::kTeams;
    }
  }

  __device__ __forceinline__ explicit TeamTurns(const typename Traits::Place& place)
      : team_(place.team()) {
    if (team_ == Traits::kTeams - 1) Pass();
  }
  __device__ __forceinline__ void Wait() {
    tiles::WaitForPhase(BarrierOf(team_), phase_);
    phase_ ^= 1;
  }
  __device__ __forceinline__ void Pass() const {
    __syncwarp();  // all lanes have seen their turn before it comes again
    if (threadIdx.x % 32 == 0) tiles::Arrive(BarrierOf(Seats()[team_].next));
  }
  /// After the last step.
  __device__ __forceinline__ void Leave() {
    Wait();
    Seat* const seats = Seats();
    if (seats[team_].next == team_) return;  // the last one
    if (threadIdx.x % kGroupThreads == 0) {
      uint64_t before = team_;
      while (seats[before].next != team_) before = seats[before].next;
      seats[before].next = seats[team_].next;
    }
    Pass();
  }

 private:
  static __device__ __forceinline__ Seat* Seats() {
    using Rings = typename Traits::Rings;
    return reinterpret_cast<Seat*>(tiles::SharedMemory() +
                                   Traits::kTeams * (Rings::kBytes + Rings::kBarrierBytes));
  }
  static __device__ __forceinline__ uint32_t BarrierOf(uint64_t team) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(&Seats()[team].barrier));
  }

  uint32_t team_;
  uint32_t phase_ = 0;
};

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAM_TURNS_CUH_
