#include "spion/pattern/flood_fill.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// The moves from (0, 0) of a 2 x 2 map. The starts (0, 1) and (1, 0) go to (1, 1) in all of them.

TEST(FloodFillTest, MovesDownWhenDownIsHighest) {
  EXPECT_THAT(FloodFill({2,
                         {0, 1,  //
                          3, 2}},
                        0),
              ElementsAre(0, 0,  //
                          1, 1));
}

TEST(FloodFillTest, MovesRightWhenRightIsHighest) {
  EXPECT_THAT(FloodFill({2,
                         {0, 3,  //
                          1, 2}},
                        0),
              ElementsAre(0, 1,  //
                          0, 1));
}

TEST(FloodFillTest, MovesToTheDiagonalWhenItIsHighest) {
  for (const auto& [down, right] : std::vector<std::pair<double, double>>{{1, 2}, {2, 1}, {2, 2}}) {
    EXPECT_THAT(FloodFill({2,
                           {0, right,  //
                            down, 3}},
                          0),
                ElementsAre(0, 0,  //
                            0, 1));
  }
}

TEST(FloodFillTest, PrefersRightWhenDownIsEqual) {
  EXPECT_THAT(FloodFill({2,
                         {0, 2,  //
                          2, 1}},
                        0),
              ElementsAre(0, 1,  //
                          0, 1));
}

TEST(FloodFillTest, PrefersTheDiagonalWhenDownIsEqual) {
  EXPECT_THAT(FloodFill({2,
                         {0, 1,  //
                          2, 2}},
                        0),
              ElementsAre(0, 0,  //
                          0, 1));
}

TEST(FloodFillTest, PrefersTheDiagonalWhenRightIsEqual) {
  EXPECT_THAT(FloodFill({2,
                         {0, 2,  //
                          1, 2}},
                        0),
              ElementsAre(0, 0,  //
                          0, 1));
}

TEST(FloodFillTest, AStartIsNotMarkedByBeingOne) {
  EXPECT_THAT(FloodFill({2,
                         {9, 0,  //
                          0, 1}},
                        0),
              ElementsAre(0, 0,  //
                          0, 1));
}

TEST(FloodFillTest, StartsFromEveryBlockOfTheFirstRow) {
  EXPECT_THAT(FloodFill({4,
                         {0, 0, 1, 0,  //
                          0, 0, 5, 0,  //
                          0, 0, 0, 6,  //
                          0, 0, 0, 0}},
                        2),
              ElementsAre(0, 0, 0, 0,  //
                          0, 0, 1, 0,  //
                          0, 0, 0, 1,  //
                          0, 0, 0, 0));
}

TEST(FloodFillTest, StartsFromEveryBlockOfTheFirstColumn) {
  EXPECT_THAT(FloodFill({4,
                         {0, 0, 0, 0,  //
                          0, 0, 0, 0,  //
                          1, 5, 0, 0,  //
                          0, 0, 6, 0}},
                        2),
              ElementsAre(0, 0, 0, 0,  //
                          0, 0, 0, 0,  //
                          0, 1, 0, 0,  //
                          0, 0, 1, 0));
}

TEST(FloodFillTest, GoesOnThroughABlockBelowTheThreshold) {
  EXPECT_THAT(FloodFill({3,
                         {0, 0, 0,  //
                          0, 1, 0,  //
                          0, 0, 9}},
                        5),
              ElementsAre(0, 0, 0,  //
                          0, 0, 0,  //
                          0, 0, 1));
}

TEST(FloodFillTest, LeavesAHighBlockThatNoWalkMovesTo) {
  // (0, 0) and (0, 1) go right, (1, 0) goes down: none goes to the 8.
  EXPECT_THAT(FloodFill({3,
                         {0, 10, 9,  //
                          0, 8, 0,   //
                          9, 0, 0}},
                        1),
              ElementsAre(0, 1, 1,  //
                          0, 0, 0,  //
                          1, 0, 0));
}

TEST(FloodFillTest, AScoreEqualToTheThresholdIsNotMarked) {
  EXPECT_THAT(FloodFill({2,
                         {0, 0,  //
                          0, 4}},
                        4),
              Each(0));
}

TEST(FloodFillTest, FollowsTheLastRowAndColumnAgainstZerosOutside) {
  // From (2, 0) right along the last row: 1 > 0 below, then 2 > 0.
  EXPECT_THAT(FloodFill({3,
                         {0, 0, 0,  //
                          0, 0, 0,  //
                          0, 1, 2}},
                        0),
              ElementsAre(0, 0, 0,  //
                          0, 0, 0,  //
                          0, 1, 1));
  EXPECT_THAT(FloodFill({3,
                         {0, 0, 0,  //
                          0, 0, 1,  //
                          0, 0, 2}},
                        0),
              ElementsAre(0, 0, 0,  //
                          0, 0, 1,  //
                          0, 0, 1));
}

TEST(FloodFillTest, LeavesTheMapOverANegativeNeighbour) {
  // In the last row the zero outside beats -1, so no walk moves to (1, 1); nor from (0, 1) down.
  EXPECT_THAT(FloodFill({2,
                         {5, 5,  //
                          5, -1}},
                        -2),
              ElementsAre(0, 1,  //
                          0, 0));
}

TEST(FloodFillTest, EqualScoresMarkEveryBlockOffTheStartsWithAThresholdBelow) {
  // All ties: every walk goes along its diagonal. The zeros outside have no mark to take.
  EXPECT_THAT(FloodFill({3, std::vector<double>(9, 0.0)}, -1), ElementsAre(0, 0, 0,  //
                                                                           0, 1, 1,  //
                                                                           0, 1, 1));
}

TEST(FloodFillTest, ASingleBlockIsNeverMarked) {
  EXPECT_THAT(FloodFill({1, {9.0}}, 0), ElementsAre(0));
}

TEST(FloodFillTest, TellsEachMoveUntilAWalkMeetsAnother) {
  std::vector<std::pair<Block, Block>> moves;
  FloodFill({2,
             {0, 1,  //
              3, 2}},
            0, [&](Block from, Block to) { moves.emplace_back(from, to); });
  // From (0, 0) down and right and out of the map; from (0, 1) down to where that one has been.
  EXPECT_THAT(
      moves, ElementsAre(std::pair(Block{0, 0}, Block{1, 0}), std::pair(Block{1, 0}, Block{1, 1}),
                         std::pair(Block{1, 1}, Block{2, 2}), std::pair(Block{0, 1}, Block{1, 1})));
}

TEST(FloodFillTest, EqualsTheOracleOnRandomScores) {
  for (const int n : {1, 2, 3, 5, 8, 16, 19, 33, 64, 99}) {
    for (const uint64_t values : {2, 4, 1000000}) {  // few values: many ties
      for (uint64_t seed = 0; seed < 5; ++seed) {
        SCOPED_TRACE(testing::Message() << "n " << n << ", values " << values << ", seed " << seed);
        Random random(seed);
        BlockScores scores{n, std::vector<double>(n * n)};
        for (double& score : scores.values) score = static_cast<double>(random.Below(values));
        const double threshold = 0.25 * static_cast<double>(values);
        EXPECT_EQ(FloodFill(scores, threshold), NaiveFloodFill(scores.values, n, threshold));
      }
    }
  }
}

}  // namespace
}  // namespace spion
