#include "spion/run/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "spion/run/run_lock.h"

namespace spion {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Every file and link below a folder and what is in it, to see that nothing was touched.
std::map<std::string, std::string> Snapshot(const std::string& folder) {
  std::map<std::string, std::string> found;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    found[entry.path()] = entry.is_regular_file() ? Read(entry.path()) : "";
  }
  return found;
}

class RunDirectoryTest : public ::testing::Test {
 protected:
  RunDirectoryTest() {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }

  // A run that has ended.
  static void FinishedRun(const std::string& path) {
    const RunDirectory run = RunDirectory::Create(path).value();
    ASSERT_TRUE(run.WriteJson("summary.json", {{"steps", 1}}).ok());
  }

  // Expects that Create refuses, and leaves everything as it is.
  std::string Refusal(const std::string& path) {
    const auto before = Snapshot(root_);
    const absl::Status status = RunDirectory::Create(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(Snapshot(root_), before);
    return std::string(status.message());
  }

  const std::string root_ = ::testing::TempDir() + "/run_directory_test";
  const std::string path_ = root_ + "/image_cf";
};

TEST_F(RunDirectoryTest, KeepsAnEarlierRun) {
  for (const char* earlier : {"", ".1", ".2"}) {
    const absl::StatusOr<RunDirectory> run = RunDirectory::Create(path_);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->earlier_run(), *earlier == 0 ? "" : path_ + earlier);
    ASSERT_TRUE(run->WriteJson("summary.json", {{"steps", 1}}).ok());
  }
  EXPECT_TRUE(fs::exists(path_ + ".1/summary.json"));
}

TEST_F(RunDirectoryTest, KeepsARunOfBeforeThereWereLocks) {
  fs::create_directories(path_);
  Write(path_ + "/manifest.json",
        R"({"command": ["lra"], "date": "", "task": "image", "method": "cf", "preset": "quick",
            "seed": 1001, "hyper_parameters": {}, "git_commit": "1413017"})");
  Write(path_ + "/last.safetensors", "weights");
  EXPECT_EQ(RunDirectory::Create(path_).value().earlier_run(), path_ + ".1");
  EXPECT_EQ(Read(path_ + ".1/last.safetensors"), "weights");
  EXPECT_FALSE(fs::exists(path_ + "/last.safetensors"));
}

TEST_F(RunDirectoryTest, IsOneRunsAlone) {
  std::optional<RunDirectory> first = RunDirectory::Create(path_).value();
  ASSERT_TRUE(first->AppendMetric({{"step", 1}}).ok());
  std::string host(256, '\0');
  ASSERT_EQ(gethostname(host.data(), host.size()), 0);
  EXPECT_THAT(Refusal(path_), AllOf(HasSubstr(path_), HasSubstr(absl::StrCat("process ", getpid())),
                                    HasSubstr(host.c_str())));
  EXPECT_THAT(Refusal(path_ + "/"), HasSubstr("goes on"));
  first.reset();
  EXPECT_EQ(RunDirectory::Create(path_).value().earlier_run(), path_ + ".1");
}

TEST_F(RunDirectoryTest, ARunThatHasNotSignedYetIsARun) {
  fs::create_directories(path_);
  const Folder folder = Folder::Open(path_).value();
  const RunLock lock = RunLock::Take(folder).value();
  EXPECT_THAT(Refusal(path_), HasSubstr("just begun"));
}

TEST_F(RunDirectoryTest, WritesOnIntoItsOwnFolderWhenThatIsRenamed) {
  const RunDirectory first = RunDirectory::Create(path_).value();
  ASSERT_TRUE(first.AppendMetric({{"run", 1}}).ok());
  fs::rename(path_, path_ + ".bak");
  const RunDirectory second = RunDirectory::Create(path_).value();
  ASSERT_TRUE(first.AppendMetric({{"run", 1}}).ok());
  ASSERT_TRUE(first.ml_log().Point("key", 1).ok());
  ASSERT_TRUE(first.WriteJson("summary.json", {{"run", 1}}).ok());
  ASSERT_TRUE(second.WriteJson("summary.json", {{"run", 2}}).ok());
  EXPECT_EQ(nlohmann::json::parse(Read(path_ + ".bak/summary.json"))["run"], 1);
  EXPECT_EQ(nlohmann::json::parse(Read(path_ + "/summary.json"))["run"], 2);
  EXPECT_FALSE(fs::exists(path_ + "/metrics.jsonl"));
  EXPECT_FALSE(fs::exists(path_ + "/mllog.txt"));
}

TEST_F(RunDirectoryTest, TakesAnEmptyFolderAsItIs) {
  for (const char* inside : {"", "/lost+found"}) {
    const std::string path = absl::StrCat(root_, "/empty", fs::path(inside).filename().string());
    fs::create_directories(path + inside);
    struct stat before {};
    ASSERT_EQ(stat(path.c_str(), &before), 0);
    const absl::StatusOr<RunDirectory> run = RunDirectory::Create(path);
    ASSERT_TRUE(run.ok()) << run.status();
    struct stat after {};
    ASSERT_EQ(stat(path.c_str(), &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(run->earlier_run(), "");
  }
}

TEST_F(RunDirectoryTest, ARunThatWroteNothingLeavesNothingToKeep) {
  RunDirectory::Create(path_).value();
  EXPECT_EQ(RunDirectory::Create(path_).value().earlier_run(), "");
  // Killed before it could sign.
  Write(path_ + "/run.lock", "");
  EXPECT_EQ(RunDirectory::Create(path_).value().earlier_run(), "");
}

TEST_F(RunDirectoryTest, LeavesWhatIsNoRuns) {
  struct Case {
    const char* file;
    const char* text;
  };
  // Files that others may have under a run's names are no mark.
  for (const auto& [file, text] : {Case{"photo.png", "x"},
                                   {"manifest.json", R"({"name": "a web page", "icons": []})"},
                                   {"manifest.json", "[]"},
                                   {"manifest.json", "{"},
                                   {"run.lock", "4711\n"},
                                   {"run.lock", R"({"program": "another"})"},
                                   {"summary.json", R"({"task": "image", "method": "cf"})"},
                                   {"mllog.txt", ":::MLLOG {}"}}) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    Write(absl::StrCat(path_, "/", file), text);
    EXPECT_THAT(Refusal(path_), AllOf(HasSubstr(path_), HasSubstr(file), HasSubstr("--out_dir")));
  }
  fs::remove_all(path_);
  fs::create_directories(path_ + "/pictures");
  EXPECT_THAT(Refusal(path_), HasSubstr("pictures"));
}

TEST_F(RunDirectoryTest, LeavesAFolderOfRuns) {
  FinishedRun(root_ + "/results/image_cf");
  EXPECT_THAT(Refusal(root_ + "/results"), HasSubstr("image_cf"));
  // One that was made a run's once, and has other runs in it since.
  FinishedRun(root_ + "/once");
  FinishedRun(root_ + "/once/image_cf");
  EXPECT_THAT(Refusal(root_ + "/once"), HasSubstr("image_cf"));
}

TEST_F(RunDirectoryTest, SlashesAtTheEndMeanNothing) {
  for (const char* earlier : {"", ".1", ".2"}) {
    const absl::StatusOr<RunDirectory> run = RunDirectory::Create(path_ + "//");
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->path(), path_);
    EXPECT_EQ(run->earlier_run(), *earlier == 0 ? "" : path_ + earlier);
    ASSERT_TRUE(run->WriteJson("summary.json", {}).ok());
  }
}

TEST_F(RunDirectoryTest, ALinkStaysALink) {
  const std::string target = root_ + "/disk";
  fs::create_directories(target);
  fs::create_directory_symlink(target, path_);
  FinishedRun(path_);
  EXPECT_TRUE(fs::exists(target + "/summary.json"));
  const RunDirectory run = RunDirectory::Create(path_ + "/").value();
  ASSERT_TRUE(run.WriteJson("new.json", {}).ok());
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_TRUE(fs::exists(target + ".1/summary.json"));
  EXPECT_TRUE(fs::exists(target + "/new.json"));
  EXPECT_EQ(run.earlier_run(), fs::canonical(target + ".1"));
}

TEST_F(RunDirectoryTest, RefusesALinkThatLeadsNowhere) {
  fs::create_directory_symlink(root_ + "/gone", path_);
  for (const std::string& path : {path_, path_ + "/", path_ + "/run"}) {
    EXPECT_THAT(Refusal(path), HasSubstr("/image_cf is a symbolic link that leads nowhere"));
  }
}

TEST_F(RunDirectoryTest, SaysTheWayOutWhereARunCannotBeRenamed) {
  // As at a mount point: here the longest name that a folder may have.
  const std::string longest = root_ + "/" + std::string(255, 'x');
  FinishedRun(longest);
  EXPECT_THAT(Refusal(longest), AllOf(HasSubstr("cannot be renamed"), HasSubstr(longest + "/2")));
}

TEST_F(RunDirectoryTest, RefusesAFile) {
  const std::string path = root_ + "/in_the_way";
  Write(path, "x");
  EXPECT_THAT(Refusal(path), HasSubstr(path + " is a file"));
}

TEST_F(RunDirectoryTest, AppendsOneJsonLineAMetric) {
  const RunDirectory run = RunDirectory::Create(path_).value();
  ASSERT_TRUE(run.AppendMetric({{"step", 1}, {"loss", 0.5}}).ok());
  ASSERT_TRUE(run.AppendMetric({{"step", 2}}).ok());
  EXPECT_THAT(Read(path_ + "/metrics.jsonl"),
              ::testing::MatchesRegex("\\{\"step\":1,\"loss\":0.5,\"time_ms\":[0-9]+\\}\n"
                                      "\\{\"step\":2,\"time_ms\":[0-9]+\\}\n"));
}

}  // namespace
}  // namespace spion
