// The command that evaluates a checkpoint of a run, for who reads the run's last lines.
#ifndef EXPERIMENTS_EVALUATION_COMMAND_H_
#define EXPERIMENTS_EVALUATION_COMMAND_H_

#include <string>

#include "experiments/options.h"
#include "spion/data/task.h"
#include "spion/train/experiment.h"

namespace spion {

/// With every setting that the evaluation needs to be of the same model on the same data: the
/// preset that was chosen, the seed of generated data, the folder of others, and what flags set
/// that has a part in an evaluation. Good for a shell.
std::string EvaluationCommand(const Experiment& experiment, const Options& options,
                              const TaskShape& shape, const std::string& checkpoint);

}  // namespace spion

#endif  // EXPERIMENTS_EVALUATION_COMMAND_H_
