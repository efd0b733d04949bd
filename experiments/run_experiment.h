// One experiment from options to results: data, device, preset, training or evaluation, reports.
#ifndef EXPERIMENTS_RUN_EXPERIMENT_H_
#define EXPERIMENTS_RUN_EXPERIMENT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "experiments/options.h"
#include "spion/run/progress.h"

namespace spion {

enum class Outcome { kFinished, kInterrupted };

/// Does what the options say and reports through `progress`. Nothing is written before the data is
/// loaded and every option is known to be good.
absl::StatusOr<Outcome> RunExperiment(const Options& options, Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RUN_EXPERIMENT_H_
