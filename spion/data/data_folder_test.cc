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

  static absl::StatusOr<std::filesystem::path> Find(const std::filesystem::path& data_dir) {
    return FindDataFolder(data_dir, "inner", {"a", "b"});
  }

  std::filesystem::path root_;
};

TEST_F(FindDataFolderTest, PrefersTheInnerFolder) {
  std::filesystem::create_directories(root_ / "inner");
  std::ofstream(root_ / "a").flush();
  const auto folder = Find(root_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(*folder, root_ / "inner");
}

TEST_F(FindDataFolderTest, TakesTheFolderItselfForItsNameOrAnyEntry) {
  std::filesystem::create_directories(root_ / "named" / "inner");
  for (const auto& named : {root_ / "named" / "inner", root_ / "named" / "inner" / ""}) {
    const auto folder = Find(named);
    ASSERT_TRUE(folder.ok()) << folder.status();
    EXPECT_EQ(*folder, named);
  }
  std::ofstream(root_ / "b").flush();
  const auto folder = Find(root_);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(*folder, root_);
}

TEST_F(FindDataFolderTest, SaysWhatIsMissing) {
  EXPECT_EQ(Find(root_ / "none").status(),
            absl::NotFoundError("data folder " + (root_ / "none").string() + " is missing"));
  EXPECT_EQ(
      Find(root_).status(),
      absl::NotFoundError("neither a folder inner nor its content (a, b) is in " + root_.string()));
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

}  // namespace
}  // namespace spion
