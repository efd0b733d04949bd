#include "spion/base/user_directory.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

class UserDirectoryTest : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("BUILD_WORKING_DIRECTORY");
    std::filesystem::current_path(start_);
  }

  const std::filesystem::path start_ = std::filesystem::current_path();
};

TEST_F(UserDirectoryTest, IsWhereBazelRunWasStarted) {
  const std::string folder = std::filesystem::canonical(testing::TempDir()).string();
  setenv("BUILD_WORKING_DIRECTORY", folder.c_str(), 1);
  EXPECT_EQ(UserDirectory(), folder);
  EXPECT_TRUE(EnterUserDirectory().ok());
  EXPECT_EQ(std::filesystem::current_path(), folder);
}

TEST_F(UserDirectoryTest, IsTheCurrentOneWithoutBazel) {
  EXPECT_EQ(UserDirectory(), start_.string());
  EXPECT_TRUE(EnterUserDirectory().ok());
  EXPECT_EQ(std::filesystem::current_path(), start_);
}

TEST_F(UserDirectoryTest, NamesAFolderThatIsGone) {
  setenv("BUILD_WORKING_DIRECTORY", "/nowhere/at/all", 1);
  EXPECT_THAT(std::string(EnterUserDirectory().message()),
              testing::HasSubstr("cannot go to BUILD_WORKING_DIRECTORY=/nowhere/at/all: No such"));
}

}  // namespace
}  // namespace spion
