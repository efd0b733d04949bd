#include "spion/run/free_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

TEST(FreeSpaceTest, AFewBytesAreFree) { EXPECT_TRUE(CheckFreeSpace(::testing::TempDir(), 1).ok()); }

TEST(FreeSpaceTest, OfAFolderThatIsNotThereTheNearestParentIsAsked) {
  const std::string folder = absl::StrCat(::testing::TempDir(), "/not/there/yet");
  EXPECT_TRUE(CheckFreeSpace(folder, 1).ok());
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(FreeSpaceTest, TooLittleIsAnErrorThatNamesFolderAndWayOut) {
  const absl::Status status =
      CheckFreeSpace(::testing::TempDir(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("MiB free"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("--out_dir"));
}

TEST(FreeSpaceTest, AFolderThatMayNotBeWrittenIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const std::string folder = absl::StrCat(::testing::TempDir(), "/read_only");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(
      folder, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  const absl::Status status = CheckFreeSpace(folder + "/run", 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder));
}

}  // namespace
}  // namespace spion
