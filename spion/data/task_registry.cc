#include "spion/data/task_registry.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/data/image.h"
#include "spion/data/listops.h"
#include "spion/data/pathfinder.h"
#include "spion/data/retrieval.h"
#include "spion/data/text.h"

namespace spion {
namespace {

struct Entry {
  const char* name;
  absl::StatusOr<TaskData> (*load)(const TaskOptions& options);
};

constexpr Entry kTasks[] = {
    {"image", LoadImage},         {"listops", LoadListOps}, {"pathfinder", LoadPathfinder},
    {"retrieval", LoadRetrieval}, {"text", LoadText},
};

}  // namespace

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Entry& task : kTasks) names.push_back(task.name);
  return names;
}

absl::StatusOr<TaskData> LoadTask(absl::string_view name, const TaskOptions& options) {
  for (const Entry& task : kTasks) {
    if (name == task.name) return task.load(options);
  }
  return absl::NotFoundError(absl::StrCat("there is no task \"", name,
                                          "\"; the tasks are: ", absl::StrJoin(TaskNames(), ", ")));
}

}  // namespace spion
