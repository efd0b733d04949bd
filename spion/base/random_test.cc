#include "spion/base/random.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace spion {
namespace {

TEST(SplitMix64Test, GivesThePublishedSequence) {
  uint64_t state = 1234567;
  EXPECT_EQ(SplitMix64(state), 6457827717110365317u);
  EXPECT_EQ(SplitMix64(state), 3203168211198807973u);
  EXPECT_EQ(SplitMix64(state), 9817491932198370423u);
  EXPECT_EQ(SplitMix64(state), 4593380528125082431u);
  EXPECT_EQ(SplitMix64(state), 16408922859458223821u);
}

TEST(RandomTest, GivesThePublishedXoshiroSequence) {
  Random random = Random::FromState({1, 2, 3, 4});
  for (uint64_t expected :
       {uint64_t{11520}, uint64_t{0}, uint64_t{1509978240}, uint64_t{1215971899390074240},
        uint64_t{1216172134540287360}, uint64_t{607988272756665600},
        uint64_t{16172922978634559625u}, uint64_t{8476171486693032832},
        uint64_t{10595114339597558777u}, uint64_t{2904607092377533576}}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(RandomTest, IsSeededBySplitMix64) {
  uint64_t state = 1001;
  Random::State words;
  for (uint64_t& word : words) word = SplitMix64(state);
  EXPECT_EQ(Random(1001).state(), words);
}

TEST(RandomTest, ContinuesFromAState) {
  Random random(1001);
  random.Next();
  Random again = Random::FromState(random.state());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.Next(), again.Next());
}

TEST(RandomTest, DoublesArePinnedToTheBit) {
  Random random(1001);
  EXPECT_EQ(random.Uniform(), 0x1.61bdc2fbe88aep-2);
  EXPECT_EQ(random.Normal(), 0x1.dcdac83ae2b60p-4);
  EXPECT_EQ(random.Normal(), -0x1.514d846b91e41p-1);
}

TEST(DeriveSeedTest, GivesEachIndexAndSeedItsOwn) {
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (uint64_t index = 0; index < 100; ++index) seeds.insert(DeriveSeed(seed, index));
  }
  EXPECT_EQ(seeds.size(), 10000u);
}

TEST(RandomTest, BelowIsUniform) {
  // 7 needs rejection, 8 does not. A count has the standard deviation sqrt(70000 * p * (1 - p)),
  // at most 93; five of them.
  for (uint64_t bound : {7u, 8u}) {
    Random random(3);
    std::vector<int> counts(bound);
    for (int i = 0; i < 70000; ++i) {
      const uint64_t value = random.Below(bound);
      ASSERT_LT(value, bound);
      ++counts[value];
    }
    for (int count : counts) EXPECT_NEAR(count, 70000.0 / static_cast<double>(bound), 465);
  }
}

TEST(RandomTest, BelowTakesTheSmallestAndTheLargestBound) {
  Random random(4);
  EXPECT_EQ(random.Below(1), 0u);
  bool upper_half = false;
  for (int i = 0; i < 64; ++i) upper_half |= random.Below(UINT64_MAX) > UINT64_MAX / 2;
  EXPECT_TRUE(upper_half);
}

TEST(RandomTest, BetweenIncludesBothEnds) {
  Random random(5);
  std::map<int64_t, int> counts;
  for (int i = 0; i < 1000; ++i) ++counts[random.Between(-2, 1)];
  EXPECT_EQ(counts.size(), 4u);
  EXPECT_EQ(counts.begin()->first, -2);
  EXPECT_EQ(counts.rbegin()->first, 1);
  EXPECT_EQ(random.Between(9, 9), 9);
}

TEST(RandomTest, BetweenTakesTheWholeRange) {
  Random random(6);
  bool negative = false, positive = false;
  for (int i = 0; i < 64; ++i) {
    const int64_t value = random.Between(INT64_MIN, INT64_MAX);
    negative |= value < 0;
    positive |= value > 0;
  }
  EXPECT_TRUE(negative && positive);
}

TEST(RandomTest, UniformFillsItsRangeEvenly) {
  Random random(7);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100000; ++i) {
    const double value = random.Uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++counts[static_cast<size_t>(value * 10)];
  }
  // Standard deviation 95; five of them.
  for (int count : counts) EXPECT_NEAR(count, 10000, 475);
}

TEST(RandomTest, NormalHasTheMomentsAndTailsOfTheNormalDistribution) {
  constexpr int kSamples = 200000;
  Random random(8);
  double sum = 0, squares = 0, fourths = 0;
  int within_one = 0, beyond_two = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double value = random.Normal();
    sum += value;
    squares += value * value;
    fourths += value * value * value * value;
    within_one += std::abs(value) < 1;
    beyond_two += std::abs(value) > 2;
  }
  // Bounds are five standard deviations of each estimate.
  EXPECT_NEAR(sum / kSamples, 0.0, 5 * std::sqrt(1.0 / kSamples));
  EXPECT_NEAR(squares / kSamples, 1.0, 5 * std::sqrt(2.0 / kSamples));
  EXPECT_NEAR(fourths / kSamples, 3.0, 5 * std::sqrt(96.0 / kSamples));
  EXPECT_NEAR(within_one / double{kSamples}, 0.682689, 5 * std::sqrt(0.217 / kSamples));
  EXPECT_NEAR(beyond_two / double{kSamples}, 0.045500, 5 * std::sqrt(0.0435 / kSamples));
}

TEST(RandomTest, ShuffleKeepsTheItemsAndReachesEveryOrder) {
  Random random(9);
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < 6000; ++i) {
    std::vector<int> items = {1, 2, 3};
    random.Shuffle(absl::MakeSpan(items));
    ++counts[items];
  }
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [items, count] : counts) {
    EXPECT_TRUE(std::is_permutation(items.begin(), items.end(), std::vector{1, 2, 3}.begin()));
    EXPECT_NEAR(count, 1000, 145);  // Five standard deviations.
  }
}

TEST(RandomTest, ShuffleTakesNoneAndOneItem) {
  Random random(10);
  std::vector<int> items;
  random.Shuffle(absl::MakeSpan(items));
  items = {5};
  random.Shuffle(absl::MakeSpan(items));
  EXPECT_EQ(items, std::vector{5});
}

}  // namespace
}  // namespace spion
