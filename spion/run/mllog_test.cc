#include "spion/run/mllog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

// Each line's event, after a check that it is in the form that MLPerf's tools read.
std::vector<Json> Events(const std::string& path) {
  const std::string kToken = ":::MLLOG ";
  std::vector<Json> events;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    EXPECT_EQ(line.substr(0, kToken.size()), kToken);
    events.push_back(Json::parse(line.substr(kToken.size())));
  }
  return events;
}

TEST(MlLogTest, WritesAnEventALine) {
  const std::string path = ::testing::TempDir() + "/mllog.txt";
  std::remove(path.c_str());
  const MlLog log(path);
  ASSERT_TRUE(log.Start("run_start", Json::object(), absl::FromUnixMillis(1234)).ok());
  const int line = __LINE__ + 1;
  ASSERT_TRUE(log.Point("train_loss", 0.5, {{"samples_count", 8}}).ok());
  ASSERT_TRUE(log.Stop("run_stop", {{"status", "success"}}).ok());

  const std::vector<Json> events = Events(path);
  ASSERT_EQ(events.size(), 3);
  EXPECT_EQ(events[0]["event_type"], "INTERVAL_START");
  EXPECT_EQ(events[0]["key"], "run_start");
  EXPECT_EQ(events[0]["time_ms"], 1234);
  EXPECT_TRUE(events[0]["value"].is_null());
  EXPECT_EQ(events[1]["event_type"], "POINT_IN_TIME");
  EXPECT_EQ(events[1]["namespace"], "");
  EXPECT_EQ(events[1]["value"], 0.5);
  EXPECT_EQ(events[1]["metadata"],
            (Json{{"file", "spion/run/mllog_test.cc"}, {"lineno", line}, {"samples_count", 8}}));
  EXPECT_EQ(events[2]["event_type"], "INTERVAL_END");
  EXPECT_EQ(events[2]["metadata"]["status"], "success");
}

TEST(MlLogTest, NamesTheFileThatCannotBeWritten) {
  const absl::Status status = MlLog("/no/such/folder/mllog.txt").Point("seed", 1);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("/no/such/folder/mllog.txt"));
}

}  // namespace
}  // namespace spion
