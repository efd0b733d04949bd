#include "spion/kernels/block_sparse/cuda/hopper/one_pass_plan.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "spion/kernels/block_sparse/problem.h"

namespace spion::cuda::hopper {
namespace {

BlockSparseProblem Problem(int64_t batch, int64_t heads, int32_t side, int64_t room) {
  return {.batch = batch,
          .heads = heads,
          .length = side * 128,
          .head_dim = 64,
          .block_size = 128,
          .pattern = {.blocks_per_side = side, .room = room, .schedule = {}},
          .padding = {}};
}

TEST(OnePassPlanTest, KeepsHeadsApartByColumns) {
  // 64 columns a head: 200 and more are four heads.
  const OnePassPlan plan = PlanOnePass(Problem(4, 16, 64, 467));
  EXPECT_EQ(plan.heads_behind, 4);
  EXPECT_EQ(plan.rounds, 4 + 1 + 4);
  EXPECT_EQ(plan.counters_at, 4 * 16 * 8192 * 8);
  EXPECT_EQ(OnePassCounters(Problem(4, 16, 64, 467)), 129);
  EXPECT_EQ(plan.blocks_at, plan.counters_at + 1024);
  EXPECT_EQ(plan.bytes, plan.blocks_at + int64_t{9} * 467 * 32768);
}

TEST(OnePassPlanTest, FewHeadsAllHaveRoom) {
  const OnePassPlan plan = PlanOnePass(Problem(1, 3, 4, 9));
  EXPECT_EQ(plan.heads_behind, 3);
  EXPECT_EQ(plan.rounds, 3);
}

TEST(OnePassPlanTest, PatternsOfAllHeadsHaveRoomTogether) {
  BlockSparseProblem problem = Problem(4, 6, 64, 6 * 400);
  problem.pattern.patterns = 6;
  const OnePassPlan plan = PlanOnePass(problem);
  EXPECT_EQ(plan.heads_behind, 4);
  EXPECT_EQ(plan.rounds, 2);  // nine heads, in whole examples
}

TEST(OnePassPlanTest, TakesBlocksOf128WhoseRoomIsKnownAndNotTooMuch) {
  BlockSparseProblem problem = Problem(4, 16, 64, 467);
  EXPECT_TRUE(TakesOnePass(problem));
  problem.pattern.room = 0;
  EXPECT_FALSE(TakesOnePass(problem));
  problem.pattern.room = int64_t{1} << 30;
  EXPECT_FALSE(TakesOnePass(problem));
  problem.pattern.room = 467;
  problem.block_size = 64;
  EXPECT_FALSE(TakesOnePass(problem));
}

}  // namespace
}  // namespace spion::cuda::hopper
