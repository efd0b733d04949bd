#include "experiments/run_place.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/file.h"
#include "spion/base/shell_word.h"
#include "spion/base/status.h"
#include "spion/run/journal.h"

namespace spion {
namespace {

bool HasResults(const RunDirectory& run) {
  const auto names = {std::string(kMetricsFileName), std::string(kEvaluationFileName),
                      ModelFileName(SavedModel::kBest, Phase::kDense),
                      ModelFileName(SavedModel::kBest, Phase::kSparse),
                      ModelFileName(SavedModel::kBest, Phase::kSingle)};
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return FileSize(run.File(name)).value_or(0) > 0;
  });
}

// What is there is kept beside; `opened` gives its lock back for that.
absl::StatusOr<RunPlace> MakeNewPlace(std::optional<RunDirectory> opened,
                                      const std::string& out_dir, Progress& progress) {
  opened.reset();
  ASSIGN_OR_RETURN(RunDirectory run, RunDirectory::Create(out_dir));
  const std::string& kept = run.earlier_run();
  if (!kept.empty()) {
    const bool is_unfinished = FileSize(absl::StrCat(kept, "/", kStateFileName)).ok() &&
                               FileSize(absl::StrCat(kept, "/", kManifestFileName)).ok();
    progress.Say(
        absl::StrCat("an earlier run is kept as ", kept,
                     is_unfinished ? "; it is unfinished: --resume --out_dir=" : "",
                     is_unfinished ? absl::StrCat(ShellWord(kept), " goes on with it") : ""));
  }
  return RunPlace{.run = std::move(run), .earlier = {}};
}

}  // namespace

absl::StatusOr<RunPlace> MakePlace(const std::string& out_dir, bool resume,
                                   const nlohmann::ordered_json& manifest, Progress& progress) {
  if (!resume) return MakeNewPlace(std::nullopt, out_dir, progress);
  ASSIGN_OR_RETURN(RunDirectory run, RunDirectory::Resume(out_dir));
  if (!run.has_earlier_files()) {
    progress.Say(absl::StrCat("there is no run in ", run.path(), " to go on with: it starts"));
    return RunPlace{.run = std::move(run), .earlier = {}};
  }
  ASSIGN_OR_RETURN(Resumption earlier, LookAtEarlierRun(run, manifest));
  if (!earlier.state.has_value() && !earlier.summary.has_value()) {
    progress.Say(absl::StrCat("the run in ", run.path(), " has saved no state: it starts anew"));
    if (HasResults(run)) return MakeNewPlace(std::move(run), out_dir, progress);
  }
  for (const std::string& note : earlier.notes) progress.Say(note);
  return RunPlace{.run = std::move(run), .earlier = std::move(earlier)};
}

}  // namespace spion
