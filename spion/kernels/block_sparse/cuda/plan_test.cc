// Which kernels a call takes, and their launches, computed by hand. No GPU is needed.
#include "spion/kernels/block_sparse/cuda/plan.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/cuda/common/launch_plan.h"
#include "spion/kernels/block_sparse/cuda/common/slices.h"
#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"
#include "spion/kernels/block_sparse/cuda/hopper/shapes.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_launch/parts.h"

namespace spion::cuda {
namespace {

/// Two examples of three heads of `lines` blocks a side, of which so many rows and lines are long.
BlockSparseProblem Problem(int64_t head_dim, int64_t block, int32_t lines, int32_t are_long) {
  return {.batch = 2,
          .heads = 3,
          .length = lines * block,
          .head_dim = head_dim,
          .block_size = block,
          .pattern = {.blocks_per_side = lines,
                      .schedule = {.long_rows = are_long, .long_lines = are_long}},
          .padding = {}};
}
BlockSparseProblem InTf32(BlockSparseProblem problem) {
  problem.float32 = Float32Math::kTf32;
  return problem;
}

struct Expected {
  int share;
  int64_t blocks;
  int threads;
  int shared_bytes;
  int32_t argument;
  bool overlaps = false;
};

void ExpectPlan(const LaunchPlan& plan, Design design, const std::vector<Expected>& expected) {
  ASSERT_EQ(plan.size(), static_cast<int>(expected.size()));
  for (int i = 0; i < plan.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(plan[i].kernel.design, design);
    EXPECT_EQ(plan[i].kernel.share, expected[i].share);
    EXPECT_EQ(plan[i].grid, (LaunchGrid{expected[i].blocks, 3, 2}));
    EXPECT_EQ(plan[i].threads, expected[i].threads);
    EXPECT_EQ(plan[i].shared_bytes, expected[i].shared_bytes);
    EXPECT_EQ(plan[i].argument, expected[i].argument);
    EXPECT_EQ(plan[i].overlaps, expected[i].overlaps);
  }
}

TEST(PlanTest, AThreadBlockForEachLine) {
  const BlockSparseProblem problem = Problem(32, 32, 10, 0);
  // Two warps; two stages of K and V, each of 32 x 32 numbers.
  ExpectPlan(PlanForward<BFloat16>(problem), Design::kLines, {{1, 10, 64, 4 * 2048, 0}});
  // Q, K, V, dO; two stages of two tiles; O; three times 32 statistics of 8 bytes.
  ExpectPlan(PlanBackward<BFloat16>(problem), Design::kLines, {{1, 10, 64, 9 * 2048 + 768, 0}});
  const KernelId kernel = {.design = Design::kLines, .head_dim = 32, .block_size = 32, .share = 1};
  EXPECT_EQ(PlanForward<BFloat16>(problem)[0].kernel, kernel);
  // In tf32 as much of twice the size.
  ExpectPlan(PlanForward<float>(InTf32(problem)), Design::kLines, {{1, 10, 64, 4 * 4096, 0}});
}

TEST(PlanTest, LongLinesAreALaunchOfTheirOwnThatTheOthersOverlap) {
  ExpectPlan(PlanForward<Float16>(Problem(32, 32, 10, 2)), Design::kLines,
             {{4, 2, 4 * 64, 4 * 8192, 0}, {1, 8, 64, 8192, 2, true}});
  ExpectPlan(PlanBackward<Float16>(Problem(32, 32, 10, 2)), Design::kLines,
             {{4, 2, 4 * 64, 4 * 19200, 0}, {1, 8, 64, 19200, 2, true}});
  // Nothing but long lines.
  ExpectPlan(PlanForward<Float16>(Problem(32, 32, 10, 10)), Design::kLines,
             {{4, 10, 4 * 64, 4 * 8192, 0}});
}

TEST(PlanTest, AsManyGroupsShareALineAsFitAThreadBlock) {
  // 32 KiB a group: three fit 96 KiB.
  ExpectPlan(PlanForward<Float16>(Problem(64, 64, 9, 1)), Design::kLines,
             {{3, 1, 3 * 128, 3 * 32768, 0}, {1, 8, 128, 32768, 1, true}});
  ExpectPlan(PlanForward<float>(InTf32(Problem(32, 64, 9, 1))), Design::kLines,
             {{3, 1, 3 * 128, 3 * 32768, 0}, {1, 8, 128, 32768, 1, true}});
  // 73.5 KiB: one alone, and so one launch.
  ExpectPlan(PlanBackward<Float16>(Problem(64, 64, 9, 1)), Design::kLines, {{1, 9, 128, 75264, 0}});
}

TEST(PlanTest, WarpsShareThreadBlocksAndLongLinesHaveTheirOwn) {
  // Tiles of 128 x 64 numbers do not fit shared memory backward: units of 16 rows, 8 a line, of
  // which a thread block has 4, or one of the long line. Backward dQ has 8, dK and dV 8.
  ExpectPlan(PlanForward<BFloat16>(Problem(64, 128, 5, 1)), Design::kWarps,
             {{1, 8 + 8, 128, 4 * 2 * 2 * 2048, 3}});
  ExpectPlan(PlanBackward<BFloat16>(Problem(64, 128, 5, 1)), Design::kWarps,
             {{1, 16 + 16, 128, 4 * 2 * (3 * 2048 + 512), 4}});
  // The last thread block has a warp without work. Rows of 512 bytes stay in device memory.
  ExpectPlan(PlanForward<float>(Problem(128, 16, 7, 0)), Design::kWarps, {{1, 2, 128, 0, 0}});
  ExpectPlan(PlanBackward<float>(Problem(128, 16, 7, 0)), Design::kWarps,
             {{1, 4, 128, 4 * 2 * 512, 1}});
}

TEST(PlanTest, UnitsOf32RowsWhereTheRegistersHoldThem) {
  for (const BlockSparseProblem& problem : {Problem(16, 32, 7, 0), InTf32(Problem(16, 32, 7, 0))}) {
    ExpectPlan(PlanForward<float>(problem), Design::kWarps, {{2, 2, 128, 4 * 2 * 4 * 1024, 0}});
    ExpectPlan(PlanBackward<float>(problem), Design::kWarps,
               {{2, 4, 128, 4 * 2 * 2 * (3 * 1024 + 512), 1}});
  }
  ExpectPlan(PlanForward<float>(Problem(16, 16, 7, 0)), Design::kWarps,
             {{1, 2, 128, 4 * 2 * 2 * 1024, 0}});
}

TEST(PlanTest, DesignsByNumberSizeAndDevice) {
  constexpr Design kLines = Design::kLines;
  constexpr Design kWarps = Design::kWarps;
  const struct {
    int64_t head_dim;
    Design half[4];  // by block size: 16, 32, 64, 128
    Design tf32[4];
  } rows[] = {{16, {kLines, kLines, kLines, kLines}, {kWarps, kWarps, kWarps, kWarps}},
              {32, {kLines, kLines, kLines, kLines}, {kLines, kLines, kLines, kWarps}},
              {64, {kLines, kLines, kLines, kWarps}, {kWarps, kWarps, kWarps, kWarps}},
              {128, {kWarps, kWarps, kWarps, kWarps}, {kWarps, kWarps, kWarps, kWarps}}};
  constexpr int64_t kBlocks[] = {16, 32, 64, 128};
  for (const auto& row : rows) {
    for (int i = 0; i < 4; ++i) {
      SCOPED_TRACE(testing::Message() << row.head_dim << ", " << kBlocks[i]);
      const BlockSparseProblem problem = Problem(row.head_dim, kBlocks[i], 4, 0);
      for (const Pass pass : {Pass::kForward, Pass::kBackward}) {
        EXPECT_EQ(DesignOf<Float16>(problem, pass, false), row.half[i]);
        EXPECT_EQ(DesignOf<BFloat16>(problem, pass, false), row.half[i]);
        EXPECT_EQ(DesignOf<float>(InTf32(problem), pass, true), row.tf32[i]);
        EXPECT_EQ(DesignOf<float>(problem, pass, true), kWarps);
        const bool on_hopper =
            (row.head_dim >= 64 && kBlocks[i] >= 64) || (row.head_dim == 32 && kBlocks[i] == 64);
        EXPECT_EQ(DesignOf<BFloat16>(problem, pass, true),
                  on_hopper ? Design::kWarpgroups : row.half[i]);
      }
    }
  }
  BlockSparseProblem invalid = Problem(48, 24, 4, 0);
  EXPECT_FALSE(HasWarpgroups<Float16>(invalid, Pass::kForward));
  EXPECT_FALSE(HasWarpgroups<Float16>(invalid, Pass::kBackward));
}

TEST(PlanTest, AtHeadDimension32LongLinesAreForGroupsOfWarps) {
  for (const Pass pass : {Pass::kForward, Pass::kBackward}) {
    BlockSparseProblem problem = Problem(32, 64, 10, 1);
    EXPECT_EQ(DesignOf<BFloat16>(problem, pass, true), Design::kLines);
    problem.pattern.schedule = {};
    EXPECT_EQ(DesignOf<BFloat16>(problem, pass, true), Design::kWarpgroups);
    EXPECT_EQ(DesignOf<BFloat16>(problem, pass, false), Design::kLines);
    EXPECT_EQ(DesignOf<float>(InTf32(problem), pass, true), Design::kLines);
    problem.block_size = 32;
    EXPECT_EQ(DesignOf<BFloat16>(problem, pass, true), Design::kLines);
  }
}

TEST(PlanTest, AtHeadDimension32ManyBlocksALineAreForTeamsBackward) {
  using hopper::Way;
  BlockSparseProblem problem = Problem(32, 64, 10, 1);
  problem.pattern.patterns = 3;
  problem.pattern.room = 12 * 3 * 10;
  EXPECT_EQ(hopper::BackwardWay(problem), Way::kTeams);
  EXPECT_EQ(hopper::ForwardWay(problem), Way::kNone);
  EXPECT_EQ(hopper::BackwardScratchFloats(problem, true), 2 * 2 * 3 * 640);
  problem.pattern.room -= 1;
  EXPECT_EQ(hopper::BackwardWay(problem), Way::kNone);
  problem.pattern.schedule = {};
  EXPECT_EQ(hopper::BackwardWay(problem), Way::kShortLines);
  EXPECT_EQ(hopper::ForwardWay(problem), Way::kShortLines);
  EXPECT_EQ(hopper::BackwardScratchFloats(problem, true), 0);
}

TEST(PlanTest, ScratchIsOfThePassThatIsTaken) {
  for (const int64_t head_dim : {64, 128}) {
    BlockSparseProblem problem = Problem(head_dim, 128, 10, 1);
    const int64_t rows = problem.batch * problem.heads * problem.length;
    const bool has_atomic_pass = head_dim == 64;
    // Not told how many blocks it keeps: two kernels.
    EXPECT_EQ(hopper::BackwardScratchFloats(problem, true), 2 * rows);
    problem.pattern.room = 25;
    const int64_t one_pass = hopper::PlanOnePass(problem).bytes / 4;
    EXPECT_GT(one_pass, 2 * rows);
    EXPECT_EQ(hopper::BackwardScratchFloats(problem, true), one_pass);
    EXPECT_EQ(hopper::BackwardScratchFloats(problem, false),
              has_atomic_pass ? (2 + head_dim) * rows : one_pass);
  }
}

TEST(PlanTest, OfManyHeadsEverySlicesGridIsOneThatAGpuBears) {
  BlockSparseForward<BFloat16> call;
  call.problem = Problem(32, 32, 10, 2);
  call.problem.batch = 3;
  call.problem.heads = 70000;
  int64_t blocks = 0;
  InSlices(call, kGridLimits, [&](const BlockSparseForward<BFloat16>& slice) {
    for (const PlannedLaunch& launch : PlanForward<BFloat16>(slice.problem)) {
      EXPECT_LE(launch.grid.y, kMaxGridRows);
      EXPECT_LE(launch.grid.z, kMaxGridRows);
      blocks += launch.grid.x * launch.grid.y * launch.grid.z;
    }
    return cudaSuccess;
  });
  EXPECT_EQ(blocks, 10 * 3 * 70000);
}

}  // namespace
}  // namespace spion::cuda
