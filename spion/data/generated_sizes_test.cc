#include "spion/data/generated_sizes.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

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
