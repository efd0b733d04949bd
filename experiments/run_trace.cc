#include "experiments/run_trace.h"

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/trainer.h"

namespace spion {

absl::StatusOr<std::unique_ptr<Trace>> MakeTrace(const Session& session, const Options& options) {
  if (options.trace.empty()) return nullptr;
  const StepRange steps = options.trace_steps.value_or(kDefaultTraceSteps);
  const int64_t last_step = session.experiment.hyper_parameters.steps;
  if (steps.first > last_step) {
    return absl::InvalidArgumentError(absl::StrCat("--trace_steps=", steps.first, ":", steps.last,
                                                   ": training ends at step ", last_step));
  }
  std::filesystem::path folder = std::filesystem::weakly_canonical(session.out_dir);
  if (!folder.has_filename()) folder = folder.parent_path();  // a slash at its end
  const std::string from_run =
      std::filesystem::weakly_canonical(options.trace).lexically_relative(folder);
  if (from_run.substr(0, 2) != "..") {
    return absl::InvalidArgumentError(
        absl::StrCat("--trace=", options.trace,
                     " lies in the run's own folder, which is made anew; "
                     "name a file elsewhere"));
  }
  return Trace::Create({.path = options.trace,
                        .first_step = steps.first,
                        .last_step = steps.last,
                        .device = session.device});
}

absl::Status SayIfTraceIsLeftOut(const Trace* trace, const TrainingState& state,
                                 Progress& progress) {
  ASSIGN_OR_RETURN(const int64_t step, StepOf(state));
  if (trace == nullptr || step < trace->options().first_step) return absl::OkStatus();
  progress.Say(absl::StrCat("note: --trace=", trace->options().path, " is not written: step ",
                            trace->options().first_step,
                            ", with which it begins, was trained before; what is there stays"));
  return absl::OkStatus();
}

}  // namespace spion
