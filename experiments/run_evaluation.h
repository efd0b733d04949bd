// The evaluation of a checkpoint (--mode=eval): its accuracy on the test set, and what a batch
// costs.
#ifndef EXPERIMENTS_RUN_EVALUATION_H_
#define EXPERIMENTS_RUN_EVALUATION_H_

#include "absl/status/statusor.h"
#include "experiments/options.h"
#include "experiments/outcome.h"
#include "experiments/session.h"
#include "spion/run/progress.h"

namespace spion {

/// By one process. Tells of it, and writes manifest.json and evaluation.json into the options'
/// out_dir where one is given, whose content is moved aside. Errors: those of LoadCheckpoint;
/// InvalidArgument for a checkpoint of another task, method or size, and for its own run's folder
/// as out_dir; those of Test and of writing.
absl::StatusOr<Outcome> RunEvaluation(const Session& session, const Options& options,
                                      Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RUN_EVALUATION_H_
