#include "spion/kernels/block_sparse/cuda/hopper/plan.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {
namespace {

struct TwoTeams {
  static constexpr int kTeams = 2;
  static constexpr int kParts = 3;
  static constexpr int kThreads = 384;
  static constexpr uint32_t kTurnBytes = 32;
  struct Rings {
    static constexpr uint32_t kBytes = 65536;
    static constexpr uint32_t kBarrierBytes = 64;
  };
};

TEST(HopperPlanTest, AThreadBlockPerSmUnlessThereAreFewerUnits) {
  const BlockSparseProblem problem = {.batch = 2,
                                      .heads = 5,
                                      .length = 7 * 64,
                                      .head_dim = 64,
                                      .block_size = 64,
                                      .pattern = {.blocks_per_side = 7, .schedule = {}},
                                      .padding = {}};
  const PlannedLaunch launch = PlanTeams<TwoTeams>(problem, 132);
  EXPECT_EQ(launch.grid, (LaunchGrid{105, 1, 1}));  // 2 x 5 x 7 x 3 units
  EXPECT_EQ(launch.threads, 384);
  EXPECT_EQ(launch.shared_bytes, 131232);
  const KernelId kernel = {
      .design = Design::kWarpgroups, .head_dim = 64, .block_size = 64, .share = 1};
  EXPECT_EQ(launch.kernel, kernel);
  EXPECT_EQ(PlanTeams<TwoTeams>(problem, 100).grid, (LaunchGrid{100, 1, 1}));

  BlockSparseProblem one = problem;
  one.batch = one.heads = 1;
  one.pattern.blocks_per_side = 1;
  EXPECT_EQ(PlanTeams<TwoTeams>(one, 132).grid, (LaunchGrid{2, 1, 1}));  // 3 units
}

struct OfShortLines {
  static constexpr int kThreads = 128;
  static constexpr int kSharedBytes = 20496;
};

TEST(HopperPlanTest, AThreadBlockForEachShortLine) {
  const BlockSparseProblem problem = {.batch = 2,
                                      .heads = 5,
                                      .length = 7 * 64,
                                      .head_dim = 32,
                                      .block_size = 64,
                                      .pattern = {.blocks_per_side = 7, .schedule = {}},
                                      .padding = {}};
  const PlannedLaunch launch = PlanShortLines<OfShortLines>(problem);
  EXPECT_EQ(launch.grid, (LaunchGrid{7, 5, 2}));
  EXPECT_EQ(launch.threads, 128);
  EXPECT_EQ(launch.shared_bytes, 20496);
  EXPECT_TRUE(launch.overlaps);
}

}  // namespace
}  // namespace spion::cuda::hopper
