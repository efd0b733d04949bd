#include "spion/data/task_registry.h"

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/data/task.h"

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

TEST(LoadTaskTest, GeneratesStandInsOnTheThreadsItIsGiven) {
  for (const char* name : {"image", "pathfinder", "retrieval", "text"}) {
    const GeneratedSizes sizes = {.train = 101, .dev = 7, .test = 30};
    std::atomic<int> calls = 0;
    const ParallelFor threads = ThreadedFor(3);
    const ParallelFor counting = {.run =
                                      [&](int64_t tasks, absl::FunctionRef<void(int64_t)> body) {
                                        ++calls;
                                        threads(tasks, body);
                                      },
                                  .threads = threads.threads};
    absl::StatusOr<TaskData> spread =
        LoadTask(name, {.generated_sizes = sizes, .parallel = counting});
    absl::StatusOr<TaskData> alone = LoadTask(name, {.generated_sizes = sizes});
    ASSERT_TRUE(spread.ok() && alone.ok()) << name;
    EXPECT_EQ(calls, 3) << name << ": once a split";
    EXPECT_EQ(spread->train.bytes(), alone->train.bytes()) << name;
    EXPECT_EQ(spread->source.sha256, alone->source.sha256) << name;
  }
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
