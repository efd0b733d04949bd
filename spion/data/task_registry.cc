#include "spion/data/task_registry.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/status.h"

namespace spion {

// Of tasks.bzl: //spion/data:all_tasks.
std::vector<TaskEntry> AllTasks();

namespace {

absl::StatusOr<TaskEntry> FindTask(absl::string_view name) {
  for (const TaskEntry& task : AllTasks()) {
    if (name == task.name) return task;
  }
  return absl::NotFoundError(absl::StrCat("there is no task \"", name,
                                          "\"; the tasks are: ", absl::StrJoin(TaskNames(), ", ")));
}

}  // namespace

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const TaskEntry& task : AllTasks()) names.emplace_back(task.name);
  return names;
}

absl::StatusOr<TaskData> LoadTask(absl::string_view name, const TaskOptions& options) {
  ASSIGN_OR_RETURN(const TaskEntry task, FindTask(name));
  return Load(task, options);
}

absl::StatusOr<PaperSettings> PaperSettingsOf(absl::string_view name) {
  ASSIGN_OR_RETURN(const TaskEntry task, FindTask(name));
  return task.paper;
}

}  // namespace spion
