#include "spion/pattern/top_blocks.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TopBlocksTest, GivesTheHighestFirst) {
  const BlockScores scores{3,
                           {1, 7, 2,  //
                            9, 0, 3,  //
                            4, 5, 8}};
  EXPECT_THAT(TopBlocks(scores, 4),
              ElementsAre(Block{1, 0}, Block{2, 2}, Block{0, 1}, Block{2, 1}));
}

TEST(TopBlocksTest, BreaksTiesRowByRow) {
  const BlockScores scores{3,
                           {0, 5, 5,  //
                            5, 9, 5,  //
                            5, 5, 5}};
  EXPECT_THAT(TopBlocks(scores, 4),
              ElementsAre(Block{1, 1}, Block{0, 1}, Block{0, 2}, Block{1, 0}));
}

TEST(TopBlocksTest, TakesTheFirstOfAllEqualScores) {
  EXPECT_THAT(TopBlocks({2, {1, 1, 1, 1}}, 3), ElementsAre(Block{0, 0}, Block{0, 1}, Block{1, 0}));
}

TEST(TopBlocksTest, GivesNoneForZeroOrLess) {
  EXPECT_THAT(TopBlocks({2, {1, 2, 3, 4}}, 0), IsEmpty());
  EXPECT_THAT(TopBlocks({2, {1, 2, 3, 4}}, -7), IsEmpty());
}

TEST(TopBlocksTest, GivesAllForMoreThanThereAre) {
  EXPECT_THAT(TopBlocks({2, {1, 2, 3, 4}}, 99),
              ElementsAre(Block{1, 1}, Block{1, 0}, Block{0, 1}, Block{0, 0}));
}

TEST(TopBlocksTest, EqualsTheOracleOnRandomScoresWithTies) {
  for (const int n : {1, 2, 7, 19, 64}) {
    for (const int64_t k : {0, 1, n - 1, n, n * n / 3, n * n}) {
      SCOPED_TRACE(testing::Message() << "n " << n << ", k " << k);
      Random random(/*seed=*/n);
      BlockScores scores{n, std::vector<double>(n * n)};
      for (double& score : scores.values) score = static_cast<double>(random.Below(n));
      std::vector<uint8_t> mask(n * n, 0);
      for (const Block& block : TopBlocks(scores, k)) mask[block.row * n + block.column] = 1;
      EXPECT_EQ(mask, NaiveTop(scores.values, k));
    }
  }
}

}  // namespace
}  // namespace spion
