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

TEST(WriteFileAtomicallyTest, RefusesAFolderAndLeavesNothingBehind) {
  const std::string folder = ::testing::TempDir() + "/is_a_folder";
  std::filesystem::create_directories(folder + "/occupied");
  EXPECT_EQ(WriteFileAtomically(folder, "x").message(),
            "cannot write " + folder + ": it is a folder; name a file");
  EXPECT_FALSE(std::filesystem::exists(folder + ".partial"));
  EXPECT_TRUE(std::filesystem::is_directory(folder));
}

TEST(WriteFileAtomicallyTest, ReplacesNoDeviceAndNoPipe) {
  const std::string pipe = ::testing::TempDir() + "/pipe";
  const std::string link = ::testing::TempDir() + "/link_to_pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_symlink(pipe, link);
  for (const std::string& path : {pipe, link}) {
    EXPECT_THAT(std::string(WriteFileAtomically(path, "x").message()),
                HasSubstr("cannot write " + path + ": it is a device, a pipe or a socket"));
    EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
  }
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_FALSE(CheckReplaceable("/dev/null").ok());
  EXPECT_TRUE(CheckReplaceable(::testing::TempDir() + "/no such file").ok());
}

TEST(AtomicFileTest, AppearsWholeWhenItIsCommitted) {
  const std::string path = ::testing::TempDir() + "/pieces.txt";
  std::filesystem::remove(path);
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->path(), path);
  std::string all;
  for (int i = 0; i < 9; ++i) {
    // The sixth is longer than what is collected in memory.
    const std::string piece(i == 5 ? 1'500'000 : 300'000 + i, static_cast<char>('a' + i));
    ASSERT_TRUE(file->Append(piece).ok());
    all += piece;
  }
  ASSERT_TRUE(file->Flush().ok());
  EXPECT_TRUE(Read(path + ".partial") == all);
  EXPECT_FALSE(std::filesystem::exists(path));
  AtomicFile moved = *std::move(file);
  ASSERT_TRUE(moved.Commit().ok());
  EXPECT_TRUE(Read(path) == all);
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(AtomicFileTest, ReplacesWhatWasAppendedAndGoesOnAtItsEnd) {
  const std::string path = ::testing::TempDir() + "/replaced.txt";
  const std::string large(3 << 20, 'x');  // more than is collected
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("one two ").ok());
  ASSERT_TRUE(file->Replace(4, "2wo").ok());
  ASSERT_TRUE(file->Append(large).ok());
  ASSERT_TRUE(file->Append(" end").ok());
  ASSERT_TRUE(file->Replace(0, "ONE").ok());
  ASSERT_TRUE(file->Append(".").ok());
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_TRUE(Read(path) == "ONE 2wo " + large + " end.");
}

TEST(AtomicFileTest, LeavesTheOldFileWhenItIsNotCommitted) {
  const std::string path = ::testing::TempDir() + "/given_up.txt";
  ASSERT_TRUE(WriteFileAtomically(path, "old").ok());
  {
    absl::StatusOr<AtomicFile> file = AtomicFile::Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Append("half of the").ok());
    EXPECT_TRUE(std::filesystem::exists(path + ".partial"));
  }
  EXPECT_EQ(Read(path), "old");
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(AppendLineTest, AddsLinesAndNamesTheFileThatCannotBeWritten) {
  const std::string path = ::testing::TempDir() + "/lines.txt";
  std::filesystem::remove(path);
  ASSERT_TRUE(AppendLine(path, "one").ok());
  ASSERT_TRUE(AppendLine(path, "two").ok());
  EXPECT_EQ(Read(path), "one\ntwo\n");
  EXPECT_THAT(std::string(AppendLine("/no/such/folder/lines.txt", "x").message()),
              HasSubstr("/no/such/folder/lines.txt"));
}

}  // namespace
}  // namespace spion
