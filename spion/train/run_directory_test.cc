#include "spion/train/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace spion {
namespace {

namespace fs = std::filesystem;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(RunDirectoryTest, KeepsAnEarlierRun) {
  const std::string path = ::testing::TempDir() + "/runs/image_cf";
  fs::remove_all(::testing::TempDir() + "/runs");
  for (const char* earlier : {"", ".1", ".2"}) {
    const absl::StatusOr<RunDirectory> run = RunDirectory::Create(path);
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->earlier_run(), *earlier == 0 ? "" : path + earlier);
    ASSERT_TRUE(run->WriteJson("summary.json", {{"steps", 1}}).ok());
  }
  EXPECT_TRUE(fs::exists(path + ".1/summary.json"));
}

TEST(RunDirectoryTest, AppendsOneJsonLineAMetric) {
  const std::string path = ::testing::TempDir() + "/metrics_run";
  const RunDirectory run = RunDirectory::Create(path).value();
  ASSERT_TRUE(run.AppendMetric({{"step", 1}, {"loss", 0.5}}).ok());
  ASSERT_TRUE(run.AppendMetric({{"step", 2}}).ok());
  EXPECT_THAT(Read(run.File("metrics.jsonl")),
              ::testing::MatchesRegex("\\{\"step\":1,\"loss\":0.5,\"time_ms\":[0-9]+\\}\n"
                                      "\\{\"step\":2,\"time_ms\":[0-9]+\\}\n"));
}

TEST(RunDirectoryTest, RefusesAFile) {
  const std::string path = ::testing::TempDir() + "/in_the_way";
  std::ofstream(path) << "x";
  EXPECT_THAT(std::string(RunDirectory::Create(path).status().message()),
              ::testing::HasSubstr(path + " is a file"));
}

}  // namespace
}  // namespace spion
