#include "spion/data/listops.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"
#include "spion/data/listops_files.h"
#include "spion/data/listops_generator.h"
#include "spion/data/read_ids.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr GeneratedSizes kSmall = {.train = 30, .dev = 20, .test = 10};

void ExpectSame(const Split& a, const Split& b) {
  ASSERT_EQ(a.examples(), b.examples());
  for (int64_t example = 0; example < a.examples(); ++example) {
    EXPECT_EQ(a.label(example), b.label(example));
    EXPECT_EQ(a.length(example, 0), b.length(example, 0));
    EXPECT_EQ(Ids(a, example), Ids(b, example));
  }
}

std::filesystem::path EmptyFolder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

TEST(LoadListOpsTest, GeneratesTheDataSetWithoutADataFolder) {
  absl::StatusOr<TaskData> listops = LoadListOps({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(listops.ok()) << listops.status();
  EXPECT_EQ(listops->shape.sequence_length, 2048);
  EXPECT_EQ(listops->shape.vocabulary, 16);
  EXPECT_EQ(listops->shape.classes, 10);
  EXPECT_EQ(listops->shape.sequences_per_example, 1);
  EXPECT_TRUE(listops->shape.has_padding);
  EXPECT_EQ(listops->train.examples(), 30);
  EXPECT_EQ(listops->dev.examples(), 20);
  EXPECT_EQ(listops->test.examples(), 10);
  EXPECT_EQ(listops->source.name, "ListOps (its generator)");
  EXPECT_FALSE(listops->source.generated);
  EXPECT_EQ(listops->source.path, "");
  EXPECT_EQ(listops->source.description,
            "ListOps by its own generator, seed 7: 30 train, 20 dev, 10 test expressions");
}

TEST(LoadListOpsTest, GivesTheGeneratorsExamplesPlusOneAndPadded) {
  absl::StatusOr<TaskData> listops = LoadListOps({.seed = 7, .generated_sizes = kSmall});
  ASSERT_TRUE(listops.ok()) << listops.status();
  std::string bytes;
  std::array<int64_t, 3> examples{};
  const absl::Status status = GenerateListOps(
      7, kSmall, [&](ListOpsSplit name, absl::Span<const uint8_t> tokens, int value) {
        const Split& split = name == ListOpsSplit::kTrain ? listops->train
                             : name == ListOpsSplit::kDev ? listops->dev
                                                          : listops->test;
        const int64_t example = examples[static_cast<size_t>(name)]++;
        EXPECT_EQ(split.label(example), value);
        EXPECT_EQ(split.length(example, 0), static_cast<int>(tokens.size()));
        std::vector<int32_t> ids(2048, 0);
        for (size_t i = 0; i < tokens.size(); ++i) ids[i] = tokens[i] + 1;
        EXPECT_EQ(Ids(split, example), ids);
        bytes.push_back(static_cast<char>(value));
        bytes.append(tokens.begin(), tokens.end());
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(examples, testing::ElementsAre(30, 20, 10));
  EXPECT_EQ(listops->source.sha256, Sha256OfBytes(bytes));
}

TEST(LoadListOpsTest, ReadsFromFilesWhatTheGeneratorGives) {
  const std::string folder = EmptyFolder("listops_round_trip").string();
  const absl::Status status = WriteListOps(folder, 11, kSmall, /*overwrite=*/false);
  ASSERT_TRUE(status.ok()) << status;
  absl::StatusOr<TaskData> files = LoadListOps({.data_dir = folder});
  absl::StatusOr<TaskData> generated = LoadListOps({.seed = 11, .generated_sizes = kSmall});
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_TRUE(generated.ok()) << generated.status();
  ExpectSame(files->train, generated->train);
  ExpectSame(files->dev, generated->dev);
  ExpectSame(files->test, generated->test);
  EXPECT_EQ(files->source.name, "ListOps (files)");
  EXPECT_FALSE(files->source.generated);
  EXPECT_EQ(files->source.path, folder);
  EXPECT_EQ(files->source.sha256.size(), 64u);
  EXPECT_EQ(files->source.description,
            absl::StrCat("ListOps from ", folder, ": 30 train, 20 dev, 10 test expressions"));
}

TEST(LoadListOpsTest, CutsAnExpressionAfterTwoThousandTokensAndPadsAShortOne) {
  const std::filesystem::path folder = EmptyFolder("listops_long");
  std::string longer = "[SM";
  for (int i = 0; i < 2100; ++i) absl::StrAppend(&longer, " ", i % 10);
  const std::string lines = absl::StrCat("Source\tTarget\n", longer, " ]\t0\n8\t8\n");
  for (const char* name : {"basic_train.tsv", "basic_val.tsv", "basic_test.tsv"}) {
    std::ofstream(folder / name) << lines;
  }
  absl::StatusOr<TaskData> listops = LoadListOps({.data_dir = folder.string()});
  ASSERT_TRUE(listops.ok()) << listops.status();
  EXPECT_EQ(listops->train.length(0, 0), 2000);
  for (const Split* split : {&listops->train, &listops->dev, &listops->test}) {
    EXPECT_TRUE(split->is_cut(0, 0));
    EXPECT_FALSE(split->is_cut(1, 0));
  }
  std::vector<int32_t> ids(2048, 0);
  ids[0] = 14;  // [SM
  for (int i = 0; i < 1999; ++i) ids[1 + i] = 1 + i % 10;
  EXPECT_EQ(Ids(listops->train, 0), ids);
  EXPECT_EQ(listops->test.length(1, 0), 1);
  EXPECT_EQ(Ids(listops->test, 1)[0], 9);
  EXPECT_EQ(Ids(listops->test, 1)[1], 0);
}

TEST(LoadListOpsTest, NamesExamplesByFileAndLine) {
  const std::filesystem::path folder = EmptyFolder("listops_names");
  ASSERT_TRUE(WriteListOps((folder / "listops").string(), 3, kSmall, /*overwrite=*/false).ok());
  absl::StatusOr<TaskData> listops = LoadListOps({.data_dir = folder.string()});
  ASSERT_TRUE(listops.ok()) << listops.status();
  const std::string file = (folder / "listops" / "basic_").string();
  EXPECT_EQ(listops->train.name(0), file + "train.tsv, line 2");
  EXPECT_EQ(listops->dev.name(19), file + "val.tsv, line 21");
  EXPECT_EQ(listops->test.name(9), file + "test.tsv, line 11");
}

TEST(LoadListOpsTest, SaysWhichOfTwoFoldersIsRead) {
  const std::filesystem::path folder = EmptyFolder("listops_twice");
  for (const char* name : {"listops-1000", "listops"}) {
    ASSERT_TRUE(WriteListOps((folder / name).string(), 3, kSmall, /*overwrite=*/false).ok());
  }
  absl::StatusOr<TaskData> listops = LoadListOps({.data_dir = folder.string()});
  ASSERT_TRUE(listops.ok()) << listops.status();
  EXPECT_EQ(listops->source.description,
            absl::StrCat("ListOps from ", folder.string(), "/listops-1000 (NOT from ",
                         folder.string(), "/listops, where there is some too): 30 train, 20 dev, ",
                         "10 test expressions"));
}

TEST(LoadListOpsTest, RefusesANegativeSize) {
  const absl::Status status = LoadListOps({.generated_sizes = {.dev = -1}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is -1; it must be positive, or 0 for"));
}

TEST(LoadListOpsTest, RefusesSizesForFiles) {
  const absl::Status status =
      LoadListOps({.data_dir = "/data", .generated_sizes = kSmall}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("/data"), HasSubstr("leave out one of the two")));
}

TEST(LoadListOpsTest, PassesOnTheErrorsOfTheFiles) {
  const std::filesystem::path folder = EmptyFolder("listops_wrong");
  EXPECT_EQ(LoadListOps({.data_dir = (folder / "missing").string()}).status().code(),
            absl::StatusCode::kNotFound);
  std::ofstream(folder / "basic_train.tsv") << "Source\tTarget\n7\t8\n";
  EXPECT_THAT(std::string(LoadListOps({.data_dir = folder.string()}).status().message()),
              HasSubstr("basic_train.tsv, line 2: target 8 found"));
}

}  // namespace
}  // namespace spion
