#include "spion/data/text.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/read_ids.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr GeneratedSizes kSmall = {.train = 30, .dev = 20, .test = 10};

TEST(LoadTextTest, GeneratesWithoutADataFolder) {
  absl::StatusOr<TaskData> text = LoadText({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->shape.sequence_length, 4096);
  EXPECT_EQ(text->shape.vocabulary, 512);
  EXPECT_EQ(text->shape.classes, 2);
  EXPECT_EQ(text->shape.sequences_per_example, 1);
  EXPECT_TRUE(text->shape.has_padding);
  EXPECT_EQ(text->train.examples(), 30);
  EXPECT_EQ(text->dev.examples(), 20);
  EXPECT_EQ(text->test.examples(), 10);
  EXPECT_EQ(text->source.name, "generated");
  EXPECT_TRUE(text->source.generated);
  EXPECT_EQ(text->source.path, "");
  EXPECT_EQ(text->source.description,
            "generated praise and blame, seed 7: 30 train, 20 dev, 10 test reviews");
}

// Of the sizes that `quick` takes.
TEST(LoadTextTest, GeneratesAlwaysTheSame) {
  absl::StatusOr<TaskData> text =
      LoadText({.generated_sizes = {.train = 8000, .dev = 1000, .test = 2000}});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(text->source.sha256,
            "b957a8a665dd1879c97f74471f40a4c998c524e13cb7fcab9da0ceb58bb7d49b");
}

TEST(LoadTextTest, CutsGeneratedReviewsToo) {
  absl::StatusOr<TaskData> text =
      LoadText({.generated_sizes = {.train = 500, .dev = 1, .test = 1}});
  ASSERT_TRUE(text.ok()) << text.status();
  int cut = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_LE(text->train.length(i, 0), 4000);
    const bool is_cut = text->train.is_cut(i, 0);
    EXPECT_TRUE(!is_cut || text->train.length(i, 0) == 4000);
    cut += is_cut;
  }
  EXPECT_GT(cut, 10);
}

TEST(LoadTextTest, GivesSplitsAndSeedsDifferentReviews) {
  absl::StatusOr<TaskData> one = LoadText({.seed = 1, .generated_sizes = kSmall});
  absl::StatusOr<TaskData> two = LoadText({.seed = 2, .generated_sizes = kSmall});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(Ids(one->train, 0), Ids(one->dev, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->dev, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(two->train, 0));
  EXPECT_NE(one->source.sha256, two->source.sha256);
}

TEST(LoadTextTest, RefusesANegativeSizeAndNamesTheDefaults) {
  const absl::Status status = LoadText({.generated_sizes = {.dev = -1}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("generated reviews is -1; it must be positive, or 0 for 25000 train, 25000 dev, "
                "25000 test"));
}

TEST(LoadTextTest, RefusesSizesForFiles) {
  const absl::Status status = LoadText({.data_dir = "/data", .generated_sizes = kSmall}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/data"), HasSubstr("leave out one of the two")));
}

TEST(LoadTextTest, PassesOnTheErrorsOfTheFiles) {
  const std::string missing = testing::TempDir() + "/text_missing";
  const absl::Status status = LoadText({.data_dir = missing}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(missing));
}

/// Four folders of full size; the review of ID i is its number and its folder's.
std::filesystem::path WriteFullImdb() {
  const auto data_dir = std::filesystem::path(testing::TempDir()) / "text_full";
  for (const char* folder : {"train/neg", "train/pos", "test/neg", "test/pos"}) {
    const auto path = data_dir / "aclImdb" / folder;
    std::filesystem::create_directories(path);
    for (int i = 0; i < 12500; ++i) {
      std::ofstream(path / (std::to_string(i) + "_5.txt")) << i << " " << folder;
    }
  }
  return data_dir;
}

std::string Text(const Split& split, int64_t example) {
  std::string text;
  for (int64_t id : Ids(split, example)) {
    if (id != 0) text.push_back(static_cast<char>(id - 1));
  }
  return text;
}

TEST(LoadTextTest, TakesTheTestSetOfImdbForDevToo) {
  const std::filesystem::path data_dir = WriteFullImdb();
  absl::StatusOr<TaskData> text = LoadText({.data_dir = data_dir.string()});
  std::filesystem::remove_all(data_dir);
  ASSERT_TRUE(text.ok()) << text.status();
  ASSERT_EQ(text->train.examples(), 25000);
  ASSERT_EQ(text->dev.examples(), 25000);
  ASSERT_EQ(text->test.examples(), 25000);
  EXPECT_EQ(Text(text->train, 0), "0 train/neg");
  EXPECT_EQ(Text(text->train, 24999), "12499 train/pos");
  for (const Split* split : {&text->dev, &text->test}) {
    EXPECT_EQ(Text(*split, 3), "1 test/pos");
    EXPECT_EQ(split->label(3), 1);
    EXPECT_EQ(Text(*split, 24998), "12499 test/neg");
    EXPECT_EQ(split->label(24998), 0);
  }
  EXPECT_EQ(text->source.name, "IMDb reviews");
  EXPECT_FALSE(text->source.generated);
  const std::string folder = (data_dir / "aclImdb").string();
  EXPECT_EQ(text->source.path, folder);
  EXPECT_EQ(text->source.sha256.size(), 64u);
  EXPECT_EQ(text->source.description,
            "IMDb from " + folder + ": 25000 train, 25000 test reviews; dev is the test set");
}

}  // namespace
}  // namespace spion
