#include "spion/data/retrieval.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
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

TEST(LoadRetrievalTest, GeneratesWithoutADataFolder) {
  absl::StatusOr<TaskData> pairs = LoadRetrieval({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->shape.sequence_length, 4096);
  EXPECT_EQ(pairs->shape.vocabulary, 512);
  EXPECT_EQ(pairs->shape.classes, 2);
  EXPECT_EQ(pairs->shape.sequences_per_example, 2);
  EXPECT_TRUE(pairs->shape.has_padding);
  EXPECT_EQ(pairs->train.examples(), 30);
  EXPECT_EQ(pairs->dev.examples(), 20);
  EXPECT_EQ(pairs->test.examples(), 10);
  EXPECT_EQ(pairs->source.name, "generated");
  EXPECT_TRUE(pairs->source.generated);
  EXPECT_EQ(pairs->source.path, "");
  EXPECT_EQ(pairs->source.description,
            "generated documents of one topic or two, seed 7: 30 train, 20 dev, 10 test pairs");
}

// Of the sizes that `quick` takes.
TEST(LoadRetrievalTest, GeneratesAlwaysTheSame) {
  absl::StatusOr<TaskData> pairs =
      LoadRetrieval({.generated_sizes = {.train = 8000, .dev = 1000, .test = 2000}});
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->source.sha256,
            "42aa8aadeb4c85809e40e39d291799f27b30da9443a3aa5f7c30e19c60c230b9");
}

TEST(LoadRetrievalTest, CutsGeneratedDocumentsToo) {
  absl::StatusOr<TaskData> pairs =
      LoadRetrieval({.generated_sizes = {.train = 500, .dev = 1, .test = 1}});
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  int cut = 0;
  for (int i = 0; i < 500; ++i) {
    for (int document : {0, 1}) {
      ASSERT_LE(pairs->train.length(i, document), 4000);
      const bool is_cut = pairs->train.is_cut(i, document);
      EXPECT_TRUE(!is_cut || pairs->train.length(i, document) == 4000);
      cut += is_cut;
    }
  }
  EXPECT_GT(cut, 10);
}

TEST(LoadRetrievalTest, GivesSplitsAndSeedsDifferentPairs) {
  absl::StatusOr<TaskData> one = LoadRetrieval({.seed = 1, .generated_sizes = kSmall});
  absl::StatusOr<TaskData> two = LoadRetrieval({.seed = 2, .generated_sizes = kSmall});
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(Ids(one->train, 0), Ids(one->dev, 0));
  EXPECT_NE(Ids(one->train, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->dev, 0), Ids(one->test, 0));
  EXPECT_NE(Ids(one->train, 0, 0), Ids(one->train, 0, 1));
  EXPECT_NE(Ids(one->train, 0), Ids(two->train, 0));
  EXPECT_NE(one->source.sha256, two->source.sha256);
}

TEST(LoadRetrievalTest, RefusesANegativeSizeAndNamesTheDefaults) {
  const absl::Status status = LoadRetrieval({.generated_sizes = {.dev = -1}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      HasSubstr("generated pairs is -1; it must be positive, or 0 for 147086 train, 18090 dev, "
                "17437 test"));
}

TEST(LoadRetrievalTest, RefusesSizesForFiles) {
  const absl::Status status =
      LoadRetrieval({.data_dir = "/data", .generated_sizes = kSmall}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/data"), HasSubstr("leave out one of the two")));
}

TEST(LoadRetrievalTest, PassesOnTheErrorsOfTheFiles) {
  const std::string missing = testing::TempDir() + "/retrieval_missing";
  const absl::Status status = LoadRetrieval({.data_dir = missing}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(missing));
}

/// Files of `train`, `eval` and `test` pairs.
std::filesystem::path WriteAan(int64_t train, int64_t eval, int64_t test) {
  const auto data_dir = std::filesystem::path(testing::TempDir()) / "retrieval_files";
  std::filesystem::create_directories(data_dir);
  for (const auto& [name, pairs] :
       {std::pair("train", train), std::pair("eval", eval), std::pair("test", test)}) {
    std::ofstream file(data_dir / ("new_aan_pairs." + std::string(name) + ".tsv"));
    for (int64_t i = 0; i < pairs; ++i) {
      file << i % 2 << "\tid1\tid2\t" << name[0] << "\t" << name[1] << "\n";
    }
  }
  return data_dir;
}

TEST(LoadRetrievalTest, ReadsThePublishedSizes) {
  const std::filesystem::path data_dir = WriteAan(147086, 18090, 17437);
  absl::StatusOr<TaskData> pairs = LoadRetrieval({.data_dir = data_dir.string()});
  std::filesystem::remove_all(data_dir);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  ASSERT_EQ(pairs->train.examples(), 147086);
  ASSERT_EQ(pairs->dev.examples(), 18090);
  ASSERT_EQ(pairs->test.examples(), 17437);
  EXPECT_EQ(Ids(pairs->train, 147085, 0)[0], 't' + 1);
  EXPECT_EQ(Ids(pairs->train, 147085, 1)[0], 'r' + 1);
  EXPECT_EQ(Ids(pairs->train, 147085, 1)[1], 0);
  EXPECT_EQ(Ids(pairs->dev, 0, 1)[0], 'v' + 1);
  EXPECT_EQ(Ids(pairs->test, 0, 1)[0], 'e' + 1);
  EXPECT_EQ(pairs->train.label(147085), 1);
  EXPECT_EQ(pairs->source.name, "AAN pairs");
  EXPECT_FALSE(pairs->source.generated);
  EXPECT_EQ(pairs->source.path, data_dir.string());
  EXPECT_EQ(pairs->source.sha256.size(), 64u);
  EXPECT_EQ(pairs->source.description,
            "AAN from " + data_dir.string() + ": 147086 train, 18090 dev, 17437 test pairs");
}

TEST(LoadRetrievalTest, SaysWhenTheSizesAreNotThePublishedOnes) {
  const std::filesystem::path data_dir = WriteAan(3, 2, 1);
  absl::StatusOr<TaskData> pairs = LoadRetrieval({.data_dir = data_dir.string()});
  std::filesystem::remove_all(data_dir);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  EXPECT_EQ(pairs->source.description,
            "AAN from " + data_dir.string() +
                ": 3 train, 2 dev, 1 test pairs; NOT the published set, which has 147086, 18090 "
                "and 17437");
}

}  // namespace
}  // namespace spion
