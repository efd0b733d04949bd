// The tasks by name.
//
//   ASSIGN_OR_RETURN(TaskData task, LoadTask("image", {.data_dir = "/data"}));
//
// A new task is a loader in a file of its own and an entry in tasks.bzl: docs/add_a_task.md.
#ifndef SPION_DATA_TASK_REGISTRY_H_
#define SPION_DATA_TASK_REGISTRY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/data/task.h"
#include "spion/data/task_entry.h"

namespace spion {

/// Every name that LoadTask takes.
std::vector<std::string> TaskNames();

/// Errors: NotFound, with the valid names, if there is no such task; otherwise those of its
/// loader, of which NotFound says that nothing of the task is in the data folder, and DataLoss that
/// something of it is missing or damaged.
absl::StatusOr<TaskData> LoadTask(absl::string_view name, const TaskOptions& options);

/// Errors: NotFound, with the valid names, if there is no such task.
absl::StatusOr<PaperSettings> PaperSettingsOf(absl::string_view name);

}  // namespace spion

#endif  // SPION_DATA_TASK_REGISTRY_H_
