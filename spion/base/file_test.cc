#include "spion/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WriteFileAtomicallyTest, ReplacesTheWholeContentAndLeavesNoPartialFile) {
  const std::string path = ::testing::TempDir() + "/atomic.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "a longer first content").ok());
  ASSERT_TRUE(WriteFileAtomically(path, std::string("b\0c", 3)).ok());
  EXPECT_EQ(Read(path), std::string("b\0c", 3));
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(WriteFileAtomicallyTest, NamesTheFileThatCannotBeMade) {
  const absl::Status status = WriteFileAtomically("/no/such/folder/file.json", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/folder/file.json"));
}

TEST(WriteFileAtomicallyTest, LeavesNothingBehindWhenTheRenameFails) {
  const std::string folder = ::testing::TempDir() + "/is_a_folder";
  std::filesystem::create_directories(folder + "/occupied");
  EXPECT_FALSE(WriteFileAtomically(folder, "x").ok());
  EXPECT_FALSE(std::filesystem::exists(folder + ".partial"));
  EXPECT_TRUE(std::filesystem::is_directory(folder));
}

}  // namespace
}  // namespace spion
