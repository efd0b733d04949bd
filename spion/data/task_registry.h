// The tasks by name.
//
//   ASSIGN_OR_RETURN(TaskData task, LoadTask("image", {.data_dir = "/data"}));
//
// A new task is a loader in a file of its own and one line in task_registry.cc.
#ifndef SPION_DATA_TASK_REGISTRY_H_
#define SPION_DATA_TASK_REGISTRY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/data/task.h"

namespace spion {

/// Every name that LoadTask takes.
std::vector<std::string> TaskNames();

/// Errors: NotFound, with the valid names, if there is no such task; otherwise those of its loader.
absl::StatusOr<TaskData> LoadTask(absl::string_view name, const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_TASK_REGISTRY_H_
