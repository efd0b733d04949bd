// An entry of the list of tasks (tasks.bzl): what the program knows of a task before it reads its
// data.
#ifndef SPION_DATA_TASK_ENTRY_H_
#define SPION_DATA_TASK_ENTRY_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// The published hyper-parameters of a task; what they mean: spion/train/hyper_parameters.h.
struct PaperSettings {
  int64_t layers;
  int64_t batch_size;
  double learning_rate;
  int64_t warmup_steps;
  int64_t steps;
  int64_t capture_interval;
  int64_t block_size;
  double density;
  double threshold;
  /// Not published ones, as evaluations would take most of a run: steps between two; 0: as
  /// captures.
  int64_t evaluation_interval = 0;
  /// Of the dev set, in an evaluation: as many as the reference takes; 0: all.
  int64_t dev_examples = 0;
};

struct TaskEntry {
  const char* name;
  absl::StatusOr<TaskData> (*load)(const TaskOptions& options);
  PaperSettings paper;
};

/// What the loader returns, if it keeps to what it states. Errors: the loader's; Internal, naming
/// the task, for a split without examples or with a fault(), and for a source of which not all is
/// said: the mistakes of a loader that would else train to wrong numbers.
absl::StatusOr<TaskData> Load(const TaskEntry& task, const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_TASK_ENTRY_H_
