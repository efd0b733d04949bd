// How a pass is started: which kernels, with which grids. Host code without CUDA, so that tests see
// it without a GPU.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_LAUNCH_PLAN_H_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_LAUNCH_PLAN_H_

#include <cstdint>

namespace spion::cuda {

/// The rooms of this package: line, warp, hopper.
enum class Design { kLines, kWarps, kWarpgroups };

/// One of a pass's kernels for a kind of number.
struct KernelId {
  Design design;
  int head_dim;
  int block_size;  // 0: for all
  /// kLines: groups that share a line. kWarps: tiles of 16 rows that make a unit. kWarpgroups: 1.
  int share;

  friend bool operator==(const KernelId&, const KernelId&) = default;
};

struct LaunchGrid {
  int64_t x, y, z;

  friend bool operator==(const LaunchGrid&, const LaunchGrid&) = default;
};

struct PlannedLaunch {
  KernelId kernel;
  LaunchGrid grid;
  int threads;       // of a thread block
  int shared_bytes;  // dynamic
  /// The kernel's second argument. kLines: the first line's rank in the schedule. kWarps: the
  /// logarithm of the units a line.
  int32_t argument = 0;
  /// May start before the launch before it ends, where a GPU can.
  bool overlaps = false;
};

/// In the order in which they start.
class LaunchPlan {
 public:
  static constexpr int kMaxLaunches = 2;

  void Add(const PlannedLaunch& launch) { launches_[count_++] = launch; }

  int size() const { return count_; }
  const PlannedLaunch& operator[](int i) const { return launches_[i]; }
  const PlannedLaunch* begin() const { return launches_; }
  const PlannedLaunch* end() const { return launches_ + count_; }

 private:
  PlannedLaunch launches_[kMaxLaunches] = {};
  int count_ = 0;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_COMMON_LAUNCH_PLAN_H_
