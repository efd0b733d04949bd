#include "experiments/ranks.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "experiments/test_model.h"
#include "spion/base/json_text.h"
#include "spion/base/status.h"
#include "spion/run/interrupt.h"
#include "spion/run/resume.h"
#include "spion/train/sharing.h"
#include "spion/train/trainer.h"

namespace spion {

absl::Status CheckOneRun(const nlohmann::ordered_json& manifest, Group& group) {
  // Both as text, which not all that is in a manifest is.
  const std::string text = JsonText(manifest);
  const auto first = nlohmann::ordered_json::parse(group.Broadcast(text));
  const auto mine = nlohmann::ordered_json::parse(text);
  std::vector<std::string> differences = RunDifferences(first, mine);
  for (std::string& difference : BuildDifferences(first, mine)) {
    differences.push_back(std::move(difference));
  }
  const std::vector<std::string> all = group.Gather(absl::StrJoin(differences, "; "));
  std::vector<std::string> wrong;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    if (!all[rank].empty()) wrong.push_back(absl::StrCat("rank ", rank, ": ", all[rank]));
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "not all ranks were started for the run of rank 0 (\"there\"): ", absl::StrJoin(wrong, ". "),
      ". Start all with one program, command and data"));
}

RunStart ShareStart(RunStart start, Group& group) {
  return static_cast<RunStart>(group.Gather(static_cast<int64_t>(start)).front());
}

absl::StatusOr<Outcome> FollowTraining(const Session& session, Team& team, Progress& progress) {
  Group& group = team.group();
  const RunStart start = ShareStart(RunStart::kAnew, group);
  if (start == RunStart::kHasEnded) return Outcome::kFinished;
  std::optional<TrainingState> state;
  if (start == RunStart::kGoesOn) state = ShareState({}, group);
  const auto make_model = [&] {
    return MakeModel(session.experiment, session.data.shape, session.device);
  };
  SequenceClassifier model = make_model();
  const InterruptFlag interrupt;
  TrainingOptions options;
  options.group = &group;
  options.stop_requested = [&] { return interrupt.raised(); };
  options.on_step = [&](int64_t step) { team.Tell(step, ""); };
  if (state.has_value()) {
    options.state = &*state;
    ASSIGN_OR_RETURN(const int64_t step, StepOf(*state));
    options.on_step(step);
  }
  TrainingEvents nobody;
  ASSIGN_OR_RETURN(const TrainingResult result,
                   Train(session.experiment, session.data, model, nobody, options));
  if (result.interrupted) return Outcome::kInterrupted;
  SequenceClassifier tested = make_model();
  RETURN_IF_ERROR(ShareModel(tested, group));
  ASSIGN_OR_RETURN(const std::optional<Evaluation> test,
                   Test(session, tested, options.stop_requested, group, progress));
  return test.has_value() ? Outcome::kFinished : Outcome::kInterrupted;
}

}  // namespace spion
