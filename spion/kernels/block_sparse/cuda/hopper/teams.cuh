// How a thread block of the kernels for Hopper is made up: warpgroups that compute, in teams that
// share a line, and last a warpgroup that copies, a warp for each team.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAMS_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAMS_CUH_

#include <cstdint>

#include "spion/kernels/block_sparse/cuda/hopper/units.cuh"
#include "spion/kernels/cuda_hopper/tiles.cuh"

namespace spion::cuda::hopper {

/// kTeamCount teams of kTeamGroupCount warpgroups, each with 64 rows.
template <int kTeamCount, int kTeamGroupCount>
struct Teams {
  static constexpr int kTeams = kTeamCount;
  static constexpr int kTeamGroups = kTeamGroupCount;
  static constexpr int kGroups = kTeams * kTeamGroups;
  static constexpr int kThreads = (kGroups + 1) * kGroupThreads;
  static constexpr uint32_t kTeamWarps = kTeamGroups * kGroupThreads / 32;
  static_assert(kGroups == 2 || kGroups == 3);
  /// Of a thread; the register file has 64 K.
  static constexpr int kComputeRegisters = kGroups == 2 ? 240 : 160;
  static constexpr int kCopyRegisters = kGroups == 2 ? 24 : 32;
  /// Of shared memory after the rings, for turns among teams (team_turns.cuh).
  static constexpr uint32_t kTurnBytes = 0;

  /// A warp's place in the thread block; one value for the warp, as the compiler is to see.
  struct Place {
    uint32_t warp = __shfl_sync(tiles::kAllLanes, threadIdx.x / 32, 0);

    __device__ __forceinline__ uint32_t group() const { return warp / 4; }
    __device__ __forceinline__ bool copies() const { return group() == kGroups; }
    __device__ __forceinline__ uint32_t team() const {
      return copies() ? warp % 4 : group() / kTeamGroups;
    }
    /// The first of the warp's 16 rows among the team's, and the thread's.
    __device__ __forceinline__ uint32_t warp_row() const {
      return group() % kTeamGroups * kGroupRows + 16 * (warp % 4);
    }
    __device__ __forceinline__ uint32_t thread_row() const {
      return warp_row() + static_cast<uint32_t>(tiles::LaneGroup());
    }
  };
};

/// The two warpgroups of a team start their products in turns, so that one computes weights while
/// the other's products run. Theirs are the named barriers 1 and 2. Nothing where a team is one
/// warpgroup.
template <class Traits>
class Turns {
 public:
  /// None of shared memory: as TeamTurns has them.
  static constexpr uint32_t kBytes = 0;
  static __device__ __forceinline__ void Init() {}
  __device__ __forceinline__ void Leave() const {}

  __device__ __forceinline__ explicit Turns(const typename Traits::Place& place)
      : is_second_(place.group() % Traits::kTeamGroups != 0) {
    if (is_second_) Pass();  // the first one begins
  }

  __device__ __forceinline__ void Wait() const {
    if constexpr (kAreTwo) {
      if (is_second_) {
        tiles::NamedBarrier<2, kThreads>();
      } else {
        tiles::NamedBarrier<1, kThreads>();
      }
    }
  }
  __device__ __forceinline__ void Pass() const {
    if constexpr (kAreTwo) {
      if (is_second_) {
        tiles::ArriveAtNamedBarrier<1, kThreads>();
      } else {
        tiles::ArriveAtNamedBarrier<2, kThreads>();
      }
    }
  }

 private:
  static constexpr bool kAreTwo = Traits::kTeamGroups == 2;
  static constexpr int kThreads = 2 * kGroupThreads;
  static_assert(!kAreTwo || Traits::kTeams == 1);

  bool is_second_;
};

/// A team's rings: the tiles of all teams come first in shared memory, then all barriers.
template <class Traits>
__device__ __forceinline__ typename Traits::Rings RingsOf(uint32_t team) {
  using Rings = typename Traits::Rings;
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(tiles::SharedMemory()));
  return Rings(shared + team * Rings::kBytes,
               shared + Traits::kTeams * Rings::kBytes + team * Rings::kBarrierBytes);
}

/// The body of a kernel whose lines are `stride` apart in `schedule`. One thread for each team runs
/// copy(units, rings), its warpgroups run compute(place, units, rings). Traits are Teams with Rings
/// and kParts of a line.
template <class Traits, class Copy, class Compute>
__device__ __forceinline__ void RunTeams(const BlockSparseProblem& problem,
                                         const BlockLine* schedule, uint32_t stride, Copy&& copy,
                                         Compute&& compute) {
  if (threadIdx.x == 0) {
    for (uint32_t team = 0; team < Traits::kTeams; ++team) {
      RingsOf<Traits>(team).Init(Traits::kTeamWarps);
    }
    tiles::PublishBarriers();
  }
  __syncthreads();
  const typename Traits::Place place;
  const uint32_t team = place.team();
  const uint32_t number = blockIdx.x * Traits::kTeams + team;
  const uint32_t teams = gridDim.x * Traits::kTeams;
  if (place.copies()) {
    tiles::GiveRegistersBack<Traits::kCopyRegisters>();
    if (team < Traits::kTeams && threadIdx.x % 32 == 0) {
      Units<Traits::kParts> units(problem, schedule, stride, number, teams);
      auto rings = RingsOf<Traits>(team);
      copy(units, rings);
    }
  } else {
    tiles::TakeRegisters<Traits::kComputeRegisters>();
    Units<Traits::kParts> units(problem, schedule, stride, number, teams);
    auto rings = RingsOf<Traits>(team);
    compute(place, units, rings);
  }
}

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_HOPPER_TEAMS_CUH_
