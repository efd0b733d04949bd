#include "spion/collective/gloo_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "spion/collective/rank_threads.h"

namespace spion {
namespace {

using ::testing::ElementsAre;

class GlooGroupTest : public testing::TestWithParam<int> {};

TEST_P(GlooGroupTest, SumsAndMeans) {
  const int ranks = GetParam();
  RunRanks(ranks, [&](Group& group) {
    EXPECT_EQ(group.ranks(), ranks);
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong}) {
      const at::Tensor tensor = at::arange(1000, type) * (group.rank() + 1);
      group.Sum(tensor);
      EXPECT_TRUE(tensor.equal(at::arange(1000, type) * (ranks * (ranks + 1) / 2))) << type;
    }
    const at::Tensor mean = at::full({7}, 2.0 * group.rank());
    group.Mean(mean);
    EXPECT_TRUE(mean.equal(at::full({7}, static_cast<float>(ranks - 1))));
  });
}

TEST_P(GlooGroupTest, HandsOutWhatRankZeroHas) {
  RunRanks(GetParam(), [](Group& group) {
    const at::Tensor tensor = at::full({3, 5}, group.rank() + 3, at::kByte);
    group.Broadcast(tensor);
    EXPECT_TRUE(tensor.equal(at::full({3, 5}, 3, at::kByte)));
    const std::string text = std::string("a\0b", 3) + std::string(group.rank(), 'x');
    EXPECT_EQ(group.Broadcast(text), std::string("a\0b", 3));
    EXPECT_EQ(group.Broadcast(group.leads() ? std::string() : std::string("no")), "");
  });
}

TEST_P(GlooGroupTest, GathersByRank) {
  const int ranks = GetParam();
  RunRanks(ranks, [&](Group& group) {
    const std::vector<int64_t> numbers = group.Gather((int64_t{1} << 62) - group.rank());
    const std::vector<std::string> texts =
        group.Gather(std::string(group.rank(), 'a' + group.rank()));
    ASSERT_EQ(numbers.size(), ranks);
    ASSERT_EQ(texts.size(), ranks);
    for (int rank = 0; rank < ranks; ++rank) {
      EXPECT_EQ(numbers[rank], (int64_t{1} << 62) - rank);
      EXPECT_EQ(texts[rank], std::string(rank, 'a' + rank));
    }
    EXPECT_FALSE(group.Any(false));
    EXPECT_TRUE(group.Any(group.rank() == ranks - 1));
    group.Barrier();
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, GlooGroupTest, testing::Values(1, 2, 3));

// What a process has once, and its ranks, here threads, come to side by side.
TEST(GlooGroupThreadsTest, RanksOfOneProcessDoNotHurtEachOther) {
  for (int i = 0; i < 40; ++i) RunRanks(3, [](Group& group) { group.Barrier(); });
}

TEST(GlooGroupLossTest, WhoWaitsForALostRankIsTold) {
  EXPECT_THROW(RunRanks(2,
                        [](Group& group) {
                          group.Barrier();
                          if (group.rank() == 1) return;  // its connections end with it
                          group.Barrier();
                        }),
               RankLost);
}

}  // namespace
}  // namespace spion
