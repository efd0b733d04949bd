#include "spion/base/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "spion/base/file.h"
#include "spion/base/read_file.h"

namespace spion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FolderTest : public ::testing::Test {
 protected:
  FolderTest() {
    fs::remove_all(root_);
    fs::create_directories(root_ + "/a");
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string root_ = ::testing::TempDir() + "/folder_test";
};

TEST_F(FolderTest, AFileStaysInItsFolderWhateverTheFolderIsCalled) {
  const Folder folder = Folder::Open(root_ + "/a").value();
  const FilePlace log = folder.File("log.txt");
  ASSERT_TRUE(AppendLine(log, "one").ok());
  EXPECT_TRUE(folder.IsInPlace());

  fs::rename(root_ + "/a", root_ + "/b");
  fs::create_directories(root_ + "/a");  // another one in its place
  EXPECT_FALSE(folder.IsInPlace());
  ASSERT_TRUE(AppendLine(log, "two").ok());
  ASSERT_TRUE(WriteFileAtomically(folder.File("whole.txt"), "whole").ok());
  EXPECT_EQ(ReadFile(log).value(), "one\ntwo\n");
  EXPECT_TRUE(fs::is_empty(root_ + "/a"));
  EXPECT_EQ(Read(root_ + "/b/log.txt"), "one\ntwo\n");
  EXPECT_EQ(Read(root_ + "/b/whole.txt"), "whole");
  EXPECT_FALSE(fs::exists(root_ + "/b/whole.txt.partial"));
}

TEST_F(FolderTest, APlaceOutlivesItsFolder) {
  const FilePlace place = Folder::Open(root_ + "/a").value().File("x");
  ASSERT_TRUE(WriteFileAtomically(place, "y").ok());
  EXPECT_EQ(Read(root_ + "/a/x"), "y");
}

TEST_F(FolderTest, ListsWhatIsInItAgainAndAgain) {
  std::ofstream(root_ + "/a/file") << "x";
  fs::create_directories(root_ + "/a/.below");
  fs::create_directory_symlink(root_, root_ + "/a/link");
  const Folder folder = Folder::Open(root_ + "/a").value();
  for (int i = 0; i < 2; ++i) {
    const std::vector<Folder::Entry> entries = folder.Entries().value();
    ASSERT_EQ(entries.size(), 3);
    EXPECT_EQ(entries[0].name, ".below");
    EXPECT_TRUE(entries[0].is_folder);
    EXPECT_EQ(entries[1].name, "file");
    EXPECT_FALSE(entries[1].is_folder);
    EXPECT_EQ(entries[2].name, "link");
    EXPECT_FALSE(entries[2].is_folder);
  }
}

TEST_F(FolderTest, ErrorsNameThePath) {
  EXPECT_THAT(std::string(Folder::Open(root_ + "/none").status().message()),
              HasSubstr(root_ + "/none"));
  const Folder folder = Folder::Open(root_ + "/a").value();
  EXPECT_THAT(std::string(ReadFile(folder.File("none")).status().message()),
              HasSubstr(root_ + "/a/none"));
  EXPECT_THAT(std::string(AppendLine(folder.File("none/x"), "").message()),
              HasSubstr(root_ + "/a/none/x"));
}

}  // namespace
}  // namespace spion
