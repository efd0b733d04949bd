// The program behind every //experiments:lra_<task>_<method>.
#include <unistd.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "baselines/registry.h"
#include "experiments/failure_text.h"
#include "experiments/options.h"
#include "experiments/run_experiment.h"
#include "spion/base/fail.h"
#include "spion/base/program.h"
#include "spion/base/version.h"
#include "spion/collective/launch.h"
#include "spion/collective/team.h"
#include "spion/data/task_registry.h"
#include "spion/run/progress.h"

namespace {

// As a shell says after Ctrl-C; for every signal that stops a run.
constexpr int kInterruptedExit = 130;

// Of several ranks the others would wait for this one: it tells them, which ends it too, if it can.
int Refuse(const absl::Status& why) {
  const absl::StatusOr<spion::Launch> launch = spion::FindLaunch();
  if (launch.ok() && launch->ranks > 1) spion::Team::Join(*launch, why).status().IgnoreError();
  return spion::Fail(why.message());
}

// What rank 0 says is what there is to say; errors all say.
int Run(const spion::Options& options, const spion::Launch& launch) {
  std::signal(SIGPIPE, SIG_IGN);  // who read the output may go: the run goes on
  std::ostream nowhere(nullptr);
  const bool speaks = launch.rank == 0;
  absl::StatusOr<spion::Outcome> outcome;
  {
    spion::Progress progress(speaks ? std::cout : nowhere, speaks && isatty(STDOUT_FILENO) != 0);
    outcome = spion::RunExperiment(options, launch, progress);
  }
  if (!outcome.ok()) return spion::Fail(outcome.status().message());
  // A run leaves files; of a manifest there is nothing but the output.
  if (options.mode == spion::Mode::kManifest) return spion::EndProgram(absl::OkStatus());
  return *outcome == spion::Outcome::kInterrupted ? kInterruptedExit : 0;
}

int Main(int argc, char** argv) {
  const spion::KnownNames known = {.tasks = spion::TaskNames(), .methods = spion::MethodNames()};
  const absl::StatusOr<spion::Options> options = spion::ParseOptions(argc, argv, known);
  if (!options.ok()) return Refuse(options.status());
  if (options->help) {
    std::cout << spion::HelpText(*options, known);
    return spion::EndProgram(absl::OkStatus());
  }
  if (options->version) {
    std::cout << spion::VersionText();
    return spion::EndProgram(absl::OkStatus());
  }
  const absl::StatusOr<spion::Launch> launch = spion::FindLaunch();
  if (!launch.ok()) return spion::Fail(launch.status().message());
  return Run(*options, *launch);
}

}  // namespace

int main(int argc, char** argv) {
  spion::BeginProgram();
  try {
    return Main(argc, argv);
  } catch (...) {
    return spion::Fail(spion::FailureText(std::current_exception()));
  }
}
