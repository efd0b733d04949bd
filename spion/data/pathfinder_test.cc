#include "spion/data/pathfinder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"
#include "spion/data/formats/write_test_png.h"
#include "spion/data/read_ids.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr GeneratedSizes kSmall = {.train = 30, .dev = 20, .test = 10};

TEST(LoadPathfinderTest, GeneratesWithoutADataFolder) {
  absl::StatusOr<TaskData> paths = LoadPathfinder({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->shape.sequence_length, 1024);
  EXPECT_EQ(paths->shape.vocabulary, 256);
  EXPECT_EQ(paths->shape.classes, 2);
  EXPECT_EQ(paths->shape.sequences_per_example, 1);
  EXPECT_FALSE(paths->shape.has_padding);
  EXPECT_EQ(paths->train.examples(), 30);
  EXPECT_EQ(paths->dev.examples(), 20);
  EXPECT_EQ(paths->test.examples(), 10);
  EXPECT_EQ(paths->train.label(0) + paths->train.label(1), 1);
  EXPECT_EQ(paths->source.name, "generated");
  EXPECT_TRUE(paths->source.generated);
  EXPECT_EQ(paths->source.path, "");
  EXPECT_EQ(paths->source.description,
            "generated dots and dashed paths, seed 7: 30 train, 20 dev, 10 test pictures");
}

// Of the sizes that `quick` takes.
TEST(LoadPathfinderTest, GeneratesAlwaysTheSame) {
  absl::StatusOr<TaskData> paths =
      LoadPathfinder({.generated_sizes = {.train = 8000, .dev = 1000, .test = 2000}});
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->source.sha256,
            "5b7d7c44a96d2d962bf002f7c8af860f0bbf1d116f1a2b4d14defb72bb4d59cb");
}

TEST(LoadPathfinderTest, GivesSplitsAndSeedsDifferentPictures) {
  absl::StatusOr<TaskData> one = LoadPathfinder({.seed = 1, .generated_sizes = kSmall});
  absl::StatusOr<TaskData> two = LoadPathfinder({.seed = 2, .generated_sizes = kSmall});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(Ids(one->train, 0), Ids(one->dev, 0));
  EXPECT_NE(Ids(one->dev, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(two->train, 0));
  EXPECT_NE(one->source.sha256, two->source.sha256);
}

TEST(LoadPathfinderTest, RefusesANegativeSizeAndNamesTheDefaults) {
  const absl::Status status = LoadPathfinder({.generated_sizes = {.test = -1}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("generated pictures is -1; it must be positive, or 0 for 160000 train, 20000 dev, "
                "20000 test"));
}

TEST(LoadPathfinderTest, RefusesSizesForFiles) {
  const absl::Status status =
      LoadPathfinder({.data_dir = "/data", .generated_sizes = kSmall}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/data"), HasSubstr("leave out one of the two")));
}

/// `count` pictures in metadata files of 100 lines. Picture i has its number in its first two
/// pixels and label 1 in the second half: an order that must not become the splits'.
std::filesystem::path WriteFiles(const std::string& name, int count, std::string& all_bytes) {
  const auto data_dir = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove_all(data_dir);
  const auto folder = data_dir / "pathfinder32" / "curv_contour_length_14";
  std::filesystem::create_directories(folder / "metadata");
  std::string pictures;
  for (int file = 0; file * 100 < count; ++file) {
    const std::filesystem::path imgs = folder / "imgs" / absl::StrCat(file);
    std::filesystem::create_directories(imgs);
    std::string metadata;
    for (int i = file * 100; i < std::min(count, file * 100 + 100); ++i) {
      const std::string picture = absl::StrCat("sample_", i % 100, ".png");
      absl::StrAppend(&metadata, "imgs/", file, " ", picture, " ", i % 100, " ", i >= count / 2,
                      " 1.2\n");
      std::vector<uint8_t> pixels(1024);
      pixels[0] = static_cast<uint8_t>(i / 256);
      pixels[1] = static_cast<uint8_t>(i % 256);
      const std::string png = TestPng({.width = 32, .height = 32, .pixels = pixels});
      std::ofstream(imgs / picture, std::ios::binary) << png;
      pictures += png;
    }
    std::ofstream(folder / "metadata" / absl::StrCat(file, ".npy")) << metadata;
    all_bytes += metadata;
  }
  all_bytes += pictures;
  return data_dir;
}

/// The numbers of a split's pictures.
std::vector<int64_t> Numbers(const Split& split) {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < split.examples(); ++i) {
    const std::vector<int32_t> ids = Ids(split, i);
    numbers.push_back(ids[0] * 256 + ids[1]);
  }
  return numbers;
}

TEST(LoadPathfinderTest, SharesTheFilesOutAlwaysTheSameWhateverTheSeed) {
  constexpr int kCount = 605;
  std::string bytes;
  const std::filesystem::path data_dir = WriteFiles("pathfinder_shares", kCount, bytes);
  absl::StatusOr<TaskData> paths = LoadPathfinder({.data_dir = data_dir.string()});
  absl::StatusOr<TaskData> again = LoadPathfinder({.data_dir = data_dir.string(), .seed = 9});
  ASSERT_TRUE(paths.ok()) << paths.status();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(paths->train.examples(), 484);
  EXPECT_EQ(paths->dev.examples(), 60);
  EXPECT_EQ(paths->test.examples(), 61);

  std::set<int64_t> all;
  for (Split TaskData::*split : {&TaskData::train, &TaskData::dev, &TaskData::test}) {
    const Split& pictures = (*paths).*split;
    const std::vector<int64_t> numbers = Numbers(pictures);
    EXPECT_EQ(numbers, Numbers((*again).*split));
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << "not in the files' order";
    int joined = 0;
    for (size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_EQ(pictures.label(i), numbers[i] >= kCount / 2);
      joined += pictures.label(i);
      all.insert(numbers[i]);
    }
    const double part = joined / double(numbers.size());
    EXPECT_TRUE(part > 0.3 && part < 0.7) << part << ": the files' order became the split's";
  }
  EXPECT_EQ(all.size(), kCount) << "a picture is in two splits, or in none";

  EXPECT_EQ(paths->source.name, "Pathfinder (Long Range Arena)");
  EXPECT_FALSE(paths->source.generated);
  EXPECT_EQ(paths->source.sha256, Sha256OfBytes(bytes));
  EXPECT_EQ(paths->source.path, (data_dir / "pathfinder32" / "curv_contour_length_14").string());
  EXPECT_THAT(paths->source.description, HasSubstr("484 train, 60 dev, 61 test pictures"));
}

TEST(LoadPathfinderTest, RefusesTooFewPicturesForThreeSplits) {
  std::string bytes;
  const std::filesystem::path nine = WriteFiles("pathfinder_nine", 9, bytes);
  const absl::Status status = LoadPathfinder({.data_dir = nine.string()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("names 9 pictures, at least 10 expected"));
  const std::filesystem::path ten = WriteFiles("pathfinder_ten", 10, bytes);
  absl::StatusOr<TaskData> paths = LoadPathfinder({.data_dir = ten.string()});
  ASSERT_TRUE(paths.ok()) << paths.status();
  // Always these: with another order results no longer compare with earlier ones.
  EXPECT_THAT(Numbers(paths->dev), ElementsAre(3));
  EXPECT_THAT(Numbers(paths->test), ElementsAre(6));
}

TEST(LoadPathfinderTest, PassesOnTheErrorsOfThePictures) {
  std::string bytes;
  const std::filesystem::path data_dir = WriteFiles("pathfinder_broken", 20, bytes);
  const auto picture = data_dir / "pathfinder32/curv_contour_length_14/imgs/0/sample_13.png";
  std::ofstream(picture, std::ios::binary | std::ios::trunc) << "x";
  const absl::Status status = LoadPathfinder({.data_dir = data_dir.string()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(picture.string() + " is no PNG"), HasSubstr("0.npy, line 14")));
}

}  // namespace
}  // namespace spion
