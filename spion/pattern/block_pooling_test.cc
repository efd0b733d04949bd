#include "spion/pattern/block_pooling.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BlockPoolingTest, AveragesEachBlock) {
  std::vector<float> values(16);
  std::iota(values.begin(), values.end(), 1.0f);
  const BlockScores scores = AveragePool({values, 4}, 2).value();
  EXPECT_EQ(scores.side, 2);
  EXPECT_THAT(scores.values, ElementsAre((1 + 2 + 5 + 6) / 4.0, (3 + 4 + 7 + 8) / 4.0,
                                         (9 + 10 + 13 + 14) / 4.0, (11 + 12 + 15 + 16) / 4.0));
  EXPECT_EQ(scores.at(1, 0), 11.5);
}

TEST(BlockPoolingTest, ABlockOfOneIsTheMap) {
  const std::vector<float> values = {1, 2, 3, 4};
  EXPECT_THAT(AveragePool({values, 2}, 1).value().values, ElementsAre(1, 2, 3, 4));
}

TEST(BlockPoolingTest, OneBlockIsTheAverageOfAll) {
  const std::vector<float> values = {1, 2, 3, 4};
  EXPECT_THAT(AveragePool({values, 2}, 2).value().values, ElementsAre(2.5));
}

TEST(BlockPoolingTest, EqualEntriesGiveEqualScores) {
  const std::vector<float> values(96 * 96, 0.1f);
  const BlockScores scores = AveragePool({values, 96}, 32).value();
  EXPECT_THAT(scores.values, Each(scores.values[0]));
}

TEST(BlockPoolingTest, EqualsPlainSumsExactlyOnAGrid) {
  const std::vector<std::pair<int64_t, int>> cases = {{6, 3},   {35, 7},   {38, 19},
                                                      {99, 11}, {128, 32}, {256, 64}};
  for (const auto& [side, block_size] : cases) {
    SCOPED_TRACE(testing::Message() << "side " << side << ", block " << block_size);
    const std::vector<float> values = RandomAttentionMap(side, /*seed=*/side);
    const std::vector<double> doubles(values.begin(), values.end());
    const std::vector<double> expected = NaivePool(doubles, side, block_size);
    EXPECT_EQ(AveragePool({values, side}, block_size).value().values, expected);

    BlockPooler pooler = BlockPooler::Create(side, block_size).value();
    for (int64_t row = 0; row < side; ++row) {
      pooler.AddRow(absl::MakeConstSpan(doubles).subspan(row * side, side));
    }
    EXPECT_EQ(std::move(pooler).Finish().values, expected);
  }
}

TEST(BlockPoolingTest, ANaNSpoilsItsBlockAndNoOther) {
  std::vector<float> values(16, 1.0f);
  values[1 * 4 + 2] = std::numeric_limits<float>::quiet_NaN();
  const BlockScores scores = AveragePool({values, 4}, 2).value();
  EXPECT_TRUE(std::isnan(scores.at(0, 1)));
  EXPECT_EQ(scores.at(0, 0), 1.0);
  EXPECT_EQ(scores.at(1, 0), 1.0);
  EXPECT_EQ(scores.at(1, 1), 1.0);
}

TEST(BlockPoolingTest, TheLargestFloatsDoNotOverflow) {
  const float largest = std::numeric_limits<float>::max();
  const std::vector<float> values(64, largest);
  EXPECT_THAT(AveragePool({values, 8}, 4).value().values, Each(largest));
}

TEST(BlockPoolingTest, RefusesASideThatTheBlockDoesNotDivide) {
  const std::vector<float> values(100);
  const auto result = AveragePool({values, 10}, 4);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("side 10"));
  EXPECT_THAT(result.status().message(), HasSubstr("block size 4"));
  EXPECT_FALSE(AveragePool({values, 10}, 20).ok());
}

TEST(BlockPoolingTest, RefusesOtherWrongSizes) {
  const std::vector<float> values(4);
  EXPECT_THAT(AveragePool({values, 2}, 0).status().message(), HasSubstr("block size 0"));
  EXPECT_FALSE(AveragePool({values, 2}, -2).ok());
  EXPECT_FALSE(AveragePool({values, 4}, 2).ok());
  EXPECT_FALSE(BlockPooler::Create(0, 2).ok());
  EXPECT_THAT(BlockPooler::Create(int64_t{1} << 40, 1).status().message(), HasSubstr("2^31"));
}

}  // namespace
}  // namespace spion
