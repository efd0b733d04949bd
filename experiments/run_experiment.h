// One experiment from options to results: data, device, preset, training or evaluation, reports.
#ifndef EXPERIMENTS_RUN_EXPERIMENT_H_
#define EXPERIMENTS_RUN_EXPERIMENT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "experiments/options.h"
#include "experiments/outcome.h"
#include "spion/collective/launch.h"
#include "spion/run/progress.h"

namespace spion {

/// Does what the options say, as the rank that `launch` says, and reports through `progress`.
/// Nothing is written before the data is loaded and every option is known to be good, and by rank 0
/// alone. Of several ranks, an error of one ends this process itself, with its message and exit
/// code 1.
absl::StatusOr<Outcome> RunExperiment(const Options& options, const Launch& launch,
                                      Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RUN_EXPERIMENT_H_
