#include "spion/data/generated_sizes.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr GeneratedSizes kDefaults = {.train = 30, .dev = 20, .test = 10};

TEST(SizesToGenerateTest, TakesTheDefaultWhereNoneIsAsked) {
  const auto sizes = SizesToGenerate({.train = 5, .test = 6}, kDefaults, "things");
  ASSERT_TRUE(sizes.ok()) << sizes.status();
  EXPECT_EQ(sizes->train, 5);
  EXPECT_EQ(sizes->dev, 20);
  EXPECT_EQ(sizes->test, 6);
}

TEST(SizesToGenerateTest, RefusesANegativeSize) {
  for (const GeneratedSizes& sizes :
       {GeneratedSizes{.train = -1}, GeneratedSizes{.dev = -1}, GeneratedSizes{.test = -1}}) {
    EXPECT_EQ(SizesToGenerate(sizes, kDefaults, "things").status(),
              absl::InvalidArgumentError("the number of generated things is -1; it must be "
                                         "positive, or 0 for 30 train, 20 dev, 10 test"));
  }
}

TEST(GenerateSplitsTest, GivesEachSplitItsSizeAndASeedThatNoSizeChanges) {
  TaskData data(TaskShape{});
  std::vector<std::pair<int64_t, Split*>> given;
  std::set<uint64_t> seeds;
  const auto take = [&](uint64_t seed, int64_t count, Split& split) {
    given.emplace_back(count, &split);
    seeds.insert(seed);
  };
  GenerateSplits({.train = 3, .dev = 2, .test = 1}, 7, data, take);
  EXPECT_THAT(given, ElementsAre(Pair(3, &data.train), Pair(2, &data.dev), Pair(1, &data.test)));
  EXPECT_EQ(seeds.size(), 3);
  GenerateSplits({.train = 9, .dev = 8, .test = 7}, 7, data, take);
  EXPECT_EQ(seeds.size(), 3);
  GenerateSplits({.train = 9, .dev = 8, .test = 7}, 8, data, take);
  EXPECT_EQ(seeds.size(), 6);
}

TEST(CheckNoSizesForFilesTest, RefusesAnySize) {
  EXPECT_TRUE(CheckNoSizesForFiles({.data_dir = "/data"}, "things").ok());
  for (const GeneratedSizes& sizes :
       {GeneratedSizes{.train = 1}, GeneratedSizes{.dev = 1}, GeneratedSizes{.test = 1}}) {
    EXPECT_EQ(CheckNoSizesForFiles({.data_dir = "/data", .generated_sizes = sizes}, "things"),
              absl::InvalidArgumentError("sizes are given for generated things, but the things are "
                                         "to be read from /data; leave out one of the two"));
  }
}

}  // namespace
}  // namespace spion
