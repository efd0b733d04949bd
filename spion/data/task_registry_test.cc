#include "spion/data/task_registry.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(LoadTaskTest, LoadsImage) {
  absl::StatusOr<TaskData> task =
      LoadTask("image", {.generated_sizes = {.train = 10, .dev = 10, .test = 10}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->shape.sequence_length, 1024);
  EXPECT_EQ(task->train.examples(), 10);
}

TEST(LoadTaskTest, LoadsListOps) {
  absl::StatusOr<TaskData> task =
      LoadTask("listops", {.generated_sizes = {.train = 3, .dev = 2, .test = 1}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->shape.sequence_length, 2048);
  EXPECT_EQ(task->dev.examples(), 2);
}

TEST(LoadTaskTest, LoadsText) {
  absl::StatusOr<TaskData> task =
      LoadTask("text", {.generated_sizes = {.train = 10, .dev = 10, .test = 10}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->shape.sequence_length, 4096);
  EXPECT_EQ(task->shape.sequences_per_example, 1);
}

TEST(LoadTaskTest, LoadsRetrieval) {
  absl::StatusOr<TaskData> task =
      LoadTask("retrieval", {.generated_sizes = {.train = 10, .dev = 10, .test = 10}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->shape.sequence_length, 4096);
  EXPECT_EQ(task->shape.sequences_per_example, 2);
}

TEST(LoadTaskTest, LoadsPathfinder) {
  absl::StatusOr<TaskData> task =
      LoadTask("pathfinder", {.generated_sizes = {.train = 10, .dev = 10, .test = 10}});
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->shape.sequence_length, 1024);
  EXPECT_EQ(task->shape.classes, 2);
}

TEST(LoadTaskTest, NamesTheTasksWhenThereIsNoSuchOne) {
  EXPECT_THAT(TaskNames(), Contains("image"));
  const absl::Status status = LoadTask("imagenet", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no task \"imagenet\""));
  for (const std::string& name : TaskNames()) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

}  // namespace
}  // namespace spion
