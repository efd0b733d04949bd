// What a power cut would leave cannot be tried here; the order of the calls that decide it can. The
// functions below stand in for the C library's, tell what they were called with, and hand over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "spion/base/file.h"

namespace {

std::vector<std::string> g_calls;

// The last name of the file or folder that this descriptor is of.
std::string NameOf(int descriptor) {
  std::error_code error;
  const auto path =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  return path.filename();
}

}  // namespace

extern "C" int fsync(int descriptor) {
  g_calls.push_back("fsync " + NameOf(descriptor));
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

extern "C" int renameat(int old_folder, const char* old_name, int folder,
                        const char* name) noexcept {
  g_calls.push_back("rename to " + std::filesystem::path(name).filename().string());
  return static_cast<int>(syscall(SYS_renameat2, old_folder, old_name, folder, name, 0));
}

namespace spion {
namespace {

using ::testing::ElementsAre;

std::string EmptyFolder(const std::string& name) {
  const std::string folder = ::testing::TempDir() + "/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  g_calls.clear();
  return folder;
}

TEST(DurabilityTest, AFileIsOnTheDiskBeforeItsNameAndTheNameBeforeTheEnd) {
  const std::string folder = EmptyFolder("run");
  ASSERT_TRUE(WriteFileAtomically(folder + "/summary.json", "{}").ok());
  EXPECT_THAT(g_calls,
              ElementsAre("fsync summary.json.partial", "rename to summary.json", "fsync run"));
}

TEST(DurabilityTest, WhatIsFlushedEarlyIsOnTheDiskThen) {
  const std::string folder = EmptyFolder("early");
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder + "/train.tsv");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Append("line\n").ok());
  EXPECT_THAT(g_calls, ElementsAre());
  ASSERT_TRUE(file->Flush().ok());
  EXPECT_THAT(g_calls, ElementsAre("fsync train.tsv.partial"));
}

TEST(DurabilityTest, SoIsALogThatIsFlushedOrCut) {
  const std::string path = EmptyFolder("log") + "/metrics.jsonl";
  ASSERT_TRUE(AppendLine(path, "{}").ok());
  ASSERT_TRUE(FlushFile(path).ok());
  ASSERT_TRUE(CutFile(path, 0).ok());
  EXPECT_THAT(g_calls, ElementsAre("fsync metrics.jsonl", "fsync metrics.jsonl"));
}

}  // namespace
}  // namespace spion
