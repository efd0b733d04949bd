#include "spion/data/data_folder.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

class FindDataFolderTest : public testing::Test {
 protected:
  FindDataFolderTest() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) / "data_folder" / test->name();
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }

  static absl::StatusOr<DataFolder> Find(const std::filesystem::path& data_dir) {
    return FindDataFolder(data_dir, {"inner", "other/inner"}, {"a", "b/c"});
  }

  void Write(const std::string& file) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file).flush();
  }

  std::filesystem::path root_;
};

TEST_F(FindDataFolderTest, FindsEachPlaceByEachEntry) {
  for (const char* place :
       {"", "inner", "other/inner", "lra_release/inner", "lra_release/other/inner",
        "lra_release/lra_release/inner", "lra_release/lra_release/other/inner"}) {
    for (const char* entry : {"a", "b/c"}) {
      std::filesystem::remove_all(root_);
      Write((std::filesystem::path(place) / entry).string());
      const auto folder = Find(root_);
      ASSERT_TRUE(folder.ok()) << folder.status();
      EXPECT_TRUE(std::filesystem::equivalent(folder->path, root_ / place));
      EXPECT_TRUE(folder->passed_over.empty());
      EXPECT_EQ(DescribeDataFolder(*folder), folder->path.string());
    }
  }
}

TEST_F(FindDataFolderTest, TakesTheFirstPlaceAndSaysWhichOthersThereAre) {
  Write("a");
  Write("other/inner/a");
  Write("lra_release/lra_release/inner/b/c");
  const auto folder = Find(root_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->path, root_ / "other/inner");
  const std::string root = root_.string();
  EXPECT_EQ(DescribeDataFolder(*folder), root + "/other/inner (NOT from " + root +
                                             "/lra_release/lra_release/inner or " + root +
                                             ", where there is some too)");
}

TEST_F(FindDataFolderTest, TakesALinkToTheFolderForTheSame) {
  Write("other/inner/a");
  std::filesystem::create_directory_symlink(root_ / "other" / "inner", root_ / "inner");
  const auto folder = Find(root_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->path, root_ / "inner");
  EXPECT_TRUE(folder->passed_over.empty());
}

TEST_F(FindDataFolderTest, PassesAFolderOfTheNameWithOtherContent) {
  Write("inner/x");
  Write("lra_release/inner/a");
  const auto folder = Find(root_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->path, root_ / "lra_release/inner");
}

TEST_F(FindDataFolderTest, SaysWhatIsMissing) {
  EXPECT_EQ(Find(root_ / "none").status(),
            absl::NotFoundError("data folder " + (root_ / "none").string() + " is missing"));
  EXPECT_EQ(Find(root_).status(),
            absl::NotFoundError("none of a, b/c is in " + root_.string() +
                                ", in a folder inner or other/inner there, or in such a folder "
                                "below lra_release or lra_release/lra_release"));
}

TEST_F(FindDataFolderTest, WhatCannotBeLookedAtIsNotMissing) {
  const std::filesystem::path loop = root_ / "inner";
  std::filesystem::create_symlink(loop, loop);
  for (const std::filesystem::path& data_dir : {root_, loop}) {
    const absl::Status status = Find(data_dir).status();
    EXPECT_FALSE(absl::IsNotFound(status)) << status;
    EXPECT_EQ(status.message().find("cannot look at " + loop.string() + ": "), 0) << status;
  }
  Write("a");
  EXPECT_TRUE(Find(root_).ok());
}

TEST_F(FindDataFolderTest, RefusesAFileInAFoldersPlace) {
  std::ofstream(root_ / "file").flush();
  EXPECT_EQ(Find(root_ / "file").status(),
            absl::FailedPreconditionError("data folder " + (root_ / "file").string() +
                                          " is not a folder"));
  std::ofstream(root_ / "inner").flush();
  EXPECT_EQ(Find(root_).status(),
            absl::FailedPreconditionError((root_ / "inner").string() + " is not a folder"));
}

TEST(MissingIsDataLossTest, LeavesEverythingElse) {
  EXPECT_EQ(MissingIsDataLoss(absl::NotFoundError("a is missing")),
            absl::DataLossError("a is missing"));
  EXPECT_EQ(MissingIsDataLoss(absl::PermissionDeniedError("a")), absl::PermissionDeniedError("a"));
  EXPECT_EQ(MissingIsDataLoss(absl::OkStatus()), absl::OkStatus());
}

TEST(WithWayOutTest, KeepsTheCode) {
  EXPECT_EQ(WithWayOut(absl::DataLossError("a is short"), "Get it anew"),
            absl::DataLossError("a is short. Get it anew."));
}

}  // namespace
}  // namespace spion
