#include "spion/data/image.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/cifar10.h"
#include "spion/data/read_ids.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

constexpr GeneratedSizes kSmall = {.train = 30, .dev = 20, .test = 10};

TEST(LoadImageTest, GeneratesWithoutADataFolder) {
  absl::StatusOr<TaskData> image = LoadImage({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->shape.sequence_length, 1024);
  EXPECT_EQ(image->shape.vocabulary, 256);
  EXPECT_EQ(image->shape.classes, 10);
  EXPECT_EQ(image->shape.sequences_per_example, 1);
  EXPECT_FALSE(image->shape.has_padding);
  EXPECT_EQ(image->train.examples(), 30);
  EXPECT_EQ(image->dev.examples(), 20);
  EXPECT_EQ(image->test.examples(), 10);
  EXPECT_EQ(image->train.length(29, 0), 1024);
  EXPECT_EQ(image->source.name, "generated");
  EXPECT_TRUE(image->source.generated);
  EXPECT_EQ(image->source.path, "");
  EXPECT_EQ(image->source.description,
            "generated shapes, stripes and blobs, seed 7: 30 train, 20 dev, 10 test pictures");
}

// Of the sizes that `quick` takes.
TEST(LoadImageTest, GeneratesAlwaysTheSame) {
  absl::StatusOr<TaskData> image =
      LoadImage({.generated_sizes = {.train = 8000, .dev = 1000, .test = 2000}});
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->source.sha256,
            "b26811810308064458abcbe5da3e9bd2989507b73fa0ebbcabab3954d99c0bf5");
}

TEST(LoadImageTest, GivesSplitsAndSeedsDifferentPictures) {
  absl::StatusOr<TaskData> one = LoadImage({.seed = 1, .generated_sizes = kSmall});
  absl::StatusOr<TaskData> two = LoadImage({.seed = 2, .generated_sizes = kSmall});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(Ids(one->train, 0), Ids(one->dev, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->dev, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(two->train, 0));
  EXPECT_NE(one->source.sha256, two->source.sha256);
}

TEST(LoadImageTest, RefusesANegativeSizeAndNamesTheDefaults) {
  const absl::Status status = LoadImage({.generated_sizes = {.dev = -1}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("generated pictures is -1; it must be positive, or 0 for 45000 train, 5000 dev, "
                "10000 test"));
}

TEST(LoadImageTest, RefusesSizesForFiles) {
  const absl::Status status = LoadImage({.data_dir = "/data", .generated_sizes = kSmall}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/data"), HasSubstr("leave out one of the two")));
}

TEST(LoadImageTest, PassesOnTheErrorsOfTheFiles) {
  const std::string missing = testing::TempDir() + "/image_missing";
  const absl::Status status = LoadImage({.data_dir = missing}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(missing));
}

/// Six files of full size whose record r of file f has label r % 10, its number in the green plane
/// (r / 100) and f in the red one, so that the place of each example can be told.
std::filesystem::path WriteFullCifar10() {
  const auto data_dir = std::filesystem::path(testing::TempDir()) / "image_full";
  const auto folder = data_dir / "cifar-10-batches-bin";
  std::filesystem::create_directories(folder);
  const std::array<const char*, 6> files = {"data_batch_1.bin", "data_batch_2.bin",
                                            "data_batch_3.bin", "data_batch_4.bin",
                                            "data_batch_5.bin", "test_batch.bin"};
  for (int f = 0; f < 6; ++f) {
    std::string bytes;
    bytes.reserve(size_t{10000} * 3073);
    for (int r = 0; r < 10000; ++r) {
      bytes.push_back(static_cast<char>(r % 10));
      bytes.append(1024, static_cast<char>(40 * f));
      bytes.append(1024, static_cast<char>(r / 100));
      bytes.append(1024, '\0');
    }
    std::ofstream(folder / files[f], std::ios::binary) << bytes;
  }
  return data_dir;
}

TEST(LoadImageTest, TakesTheLastTenthOfTheTrainingFilesForDev) {
  const std::filesystem::path data_dir = WriteFullCifar10();
  absl::StatusOr<TaskData> image = LoadImage({.data_dir = data_dir.string()});
  std::filesystem::remove_all(data_dir);
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->train.examples(), 45000);
  ASSERT_EQ(image->dev.examples(), 5000);
  ASSERT_EQ(image->test.examples(), 10000);
  EXPECT_THAT(Ids(image->train, 0), Each(GreyOf(0, 0, 0)));
  EXPECT_THAT(Ids(image->train, 44999), Each(GreyOf(160, 49, 0)));  // File 5, record 4999.
  EXPECT_THAT(Ids(image->dev, 0), Each(GreyOf(160, 50, 0)));        // File 5, record 5000.
  EXPECT_THAT(Ids(image->dev, 4999), Each(GreyOf(160, 99, 0)));
  EXPECT_THAT(Ids(image->test, 9999), Each(GreyOf(200, 99, 0)));
  EXPECT_EQ(image->train.label(44999), 9);
  EXPECT_EQ(image->dev.label(3), 3);
  EXPECT_EQ(image->source.name, "CIFAR-10 (binary)");
  EXPECT_FALSE(image->source.generated);
  const std::string folder = (data_dir / "cifar-10-batches-bin").string();
  EXPECT_EQ(image->source.path, folder);
  EXPECT_EQ(image->source.sha256.size(), 64u);
  EXPECT_EQ(image->source.description,
            "CIFAR-10 in grey from " + folder + ": 45000 train, 5000 dev, 10000 test pictures");
}

}  // namespace
}  // namespace spion
