#include "spion/data/task_entry.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

constexpr TaskShape kShape = {.sequence_length = 2, .vocabulary = 4, .classes = 2};

// Three splits of one example, and all that is to be said of them.
TaskData SoundData() {
  TaskData data(kShape);
  const std::vector<uint8_t> ids = {1, 3};
  for (Split* split : {&data.train, &data.dev, &data.test}) split->AddExample({ids}, 1);
  data.source = {.name = "made",
                 .generated = true,
                 .path = "",
                 .sha256 = "0123",
                 .description = "made for a test"};
  return data;
}

TaskData WithoutTest() {
  TaskData data = SoundData();
  data.test = Split(kShape);
  return data;
}

TaskData WithAFaultInDev() {
  TaskData data = SoundData();
  const std::vector<uint8_t> ids = {1, 3};
  data.dev.AddExample({ids}, 2);
  return data;
}

TaskData WithoutSha256() {
  TaskData data = SoundData();
  data.source.sha256 = "";
  return data;
}

absl::StatusOr<TaskData> LoadBy(absl::StatusOr<TaskData> (*load)(const TaskOptions&)) {
  return Load({.name = "mine", .load = load, .paper = {}}, {});
}

std::string MessageOf(absl::StatusOr<TaskData> (*load)(const TaskOptions&)) {
  const absl::Status status = LoadBy(load).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
  return std::string(status.message());
}

TEST(LoadTest, ReturnsWhatTheLoaderDoes) {
  const auto data =
      LoadBy([](const TaskOptions&) -> absl::StatusOr<TaskData> { return SoundData(); });
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->test.label(0), 1);
  const auto missing = LoadBy([](const TaskOptions&) -> absl::StatusOr<TaskData> {
    return absl::NotFoundError("no folder");
  });
  EXPECT_EQ(missing.status(), absl::NotFoundError("no folder"));
}

TEST(LoadTest, RefusesWhatIsNotAsTheLoaderStates) {
  constexpr const char* kWayOut = "; its loader is to be corrected (spion/data/task.h)";
  EXPECT_EQ(MessageOf([](const TaskOptions&) -> absl::StatusOr<TaskData> { return WithoutTest(); }),
            std::string("task mine: test has no examples") + kWayOut);
  EXPECT_EQ(
      MessageOf([](const TaskOptions&) -> absl::StatusOr<TaskData> { return WithAFaultInDev(); }),
      std::string("task mine: in dev example 1 has label 2, but there are 2 classes, counted "
                  "from 0") +
          kWayOut);
  EXPECT_EQ(
      MessageOf([](const TaskOptions&) -> absl::StatusOr<TaskData> { return WithoutSha256(); }),
      std::string("task mine: of DataSource name, sha256 or description is not given") + kWayOut);
}

}  // namespace
}  // namespace spion
