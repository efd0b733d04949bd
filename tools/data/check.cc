// Says what a run would find in a data folder, by the runs' own loaders: of each task the source,
// the splits and the sha256, or what is missing or damaged. //tools:data calls it as
//
//   check --fetched=A,B DIR [TASK ...]
//
// A task of --fetched is one that //tools:data can fetch.
//
// Exit code 0: all that is there is sound. 1: something is damaged or incomplete, DIR is not there,
// or there is no such task.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "spion/base/command_line.h"
#include "spion/base/did_you_mean.h"
#include "spion/base/program.h"
#include "spion/base/shell_word.h"
#include "spion/base/status.h"
#include "spion/data/cut_sequences.h"
#include "spion/data/task.h"
#include "spion/data/task_registry.h"

namespace {

// What fetch has no archive of: its generator is the data set.
constexpr char kGeneratedTask[] = "listops";

struct Counts {
  int sound = 0;
  std::vector<std::string> missing;
  int broken = 0;
};

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The tasks to check: `asked`, or all.
absl::StatusOr<std::vector<std::string>> TasksToCheck(const std::vector<std::string>& asked) {
  const std::vector<std::string> all = spion::TaskNames();
  for (const std::string& task : asked) {
    if (!Contains(all, task)) {
      const std::string meant = spion::DidYouMean(task, all);
      return absl::NotFoundError(
          absl::StrCat("there is no task \"", task, "\"; ",
                       meant.empty() ? "" : absl::StrCat("did you mean ", meant, "? "),
                       "the tasks are: ", absl::StrJoin(all, ", ")));
    }
  }
  return asked.empty() ? all : asked;
}

absl::Status CheckFolder(const std::string& folder) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(folder, error);
  if (std::filesystem::is_directory(status)) return absl::OkStatus();
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(absl::StrCat(
        "data folder ", folder, " is missing; bazel run //tools:data -- fetch TASK --out=",
        spion::ShellWord(folder), " makes it"));
  }
  return absl::FailedPreconditionError(absl::StrCat("data folder ", folder, " is not a folder"));
}

/// Prints a task's lines, its name before the first one.
void Print(const std::string& task, const std::string& first, const std::string& second = "") {
  std::cout << absl::StrFormat("%-12s%s\n", task, first);
  if (!second.empty()) std::cout << absl::StrFormat("%-12s%s\n", "", second);
  std::cout.flush();
}

/// The task's data. Where there is no memory for them it says so, and the other tasks go on.
absl::StatusOr<spion::TaskData> Load(const std::string& task, const std::string& folder) {
  try {
    return spion::LoadTask(task, {.data_dir = folder});
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there is not enough memory for what is in ", folder));
  }
}

void CheckTask(const std::string& task, const std::string& folder, Counts& counts) {
  std::cerr << "reading " << task << " ..." << std::endl;
  const absl::StatusOr<spion::TaskData> data = Load(task, folder);
  if (data.ok()) {
    ++counts.sound;
    Print(task, absl::StrCat(data->source.description, spion::DescribeCuts(*data)),
          absl::StrCat("sha256 ", data->source.sha256));
  } else if (absl::IsNotFound(data.status())) {
    counts.missing.push_back(task);
    Print(task, absl::StrCat("missing: ", data.status().message()));
  } else {
    ++counts.broken;
    Print(task, absl::StrCat("BROKEN: ", data.status().message()));
  }
}

/// How to get the tasks that are missing, where there is a way.
void PrintWaysOut(const std::vector<std::string>& missing, const std::vector<std::string>& fetched,
                  const std::string& folder) {
  std::vector<std::string> to_fetch;
  for (const std::string& task : missing) {
    if (Contains(fetched, task)) to_fetch.push_back(task);
  }
  if (!to_fetch.empty()) {
    std::cout << "To get " << absl::StrJoin(to_fetch, ", ")
              << ": bazel run //tools:data -- fetch TASK --out=" << spion::ShellWord(folder)
              << "\n";
  }
  if (Contains(missing, kGeneratedTask)) {
    std::cout << "To make " << kGeneratedTask << ": bazel run //tools:make_listops -- --out="
              << spion::ShellWord(folder + "/listops-1000") << "\n";
  }
}

absl::StatusOr<Counts> Run(const std::vector<std::string>& arguments) {
  std::string fetched;
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   spion::ParseArguments(
                       arguments, {{"fetched", "A,B", "what fetch has", spion::SetText(fetched)}}));
  if (names.empty()) {
    return absl::InvalidArgumentError("usage: check --fetched=A,B DIR [TASK ...]");
  }
  const std::string& folder = names[0];
  ASSIGN_OR_RETURN(const std::vector<std::string> tasks,
                   TasksToCheck({names.begin() + 1, names.end()}));
  RETURN_IF_ERROR(CheckFolder(folder));
  Counts counts;
  for (const std::string& task : tasks) CheckTask(task, folder, counts);
  std::cout << absl::StrFormat("\n%d sound, %d missing, %d broken\n", counts.sound,
                               counts.missing.size(), counts.broken);
  PrintWaysOut(counts.missing, absl::StrSplit(fetched, ','), folder);
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  spion::BeginProgram();
  const absl::StatusOr<Counts> counts = Run({argv + 1, argv + argc});
  const int code = spion::EndProgram(counts.status());
  return code == 0 && counts->broken > 0 ? 1 : code;
}
