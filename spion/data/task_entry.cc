#include "spion/data/task_entry.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

// Where the data are not what their loader states; empty if they are.
std::string FindFault(const TaskData& data) {
  for (const auto& [name, split] : std::initializer_list<std::pair<const char*, const Split&>>{
           {"train", data.train}, {"dev", data.dev}, {"test", data.test}}) {
    if (const std::string fault = split.fault(); !fault.empty()) {
      return absl::StrCat("in ", name, " ", fault);
    }
    if (split.examples() == 0) return absl::StrCat(name, " has no examples");
  }
  const DataSource& source = data.source;
  if (source.name.empty() || source.sha256.empty() || source.description.empty()) {
    return "of DataSource name, sha256 or description is not given";
  }
  return "";
}

}  // namespace

absl::StatusOr<TaskData> Load(const TaskEntry& task, const TaskOptions& options) {
  ASSIGN_OR_RETURN(TaskData data, task.load(options));
  if (const std::string fault = FindFault(data); !fault.empty()) {
    return absl::InternalError(absl::StrCat("task ", task.name, ": ", fault,
                                            "; its loader is to be corrected (spion/data/task.h)"));
  }
  return data;
}

}  // namespace spion
