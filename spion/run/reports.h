// manifest.json and summary.json of a run, and what mllog.txt says of it before it starts.
#ifndef SPION_RUN_REPORTS_H_
#define SPION_RUN_REPORTS_H_

#include <c10/core/Device.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/run/mllog.h"
#include "spion/train/evaluation.h"
#include "spion/train/trainer.h"

namespace spion {

/// Everything that makes the run what it is, known before its first step: command,
/// hyper-parameters, model, seed, commit, versions, machine, threads of a CPU, data source, date.
nlohmann::ordered_json Manifest(const Experiment& experiment, const ModelConfig& model,
                                const DataSource& source, c10::Device device,
                                const std::vector<std::string>& command);

/// What came of it: `test` is that of result.best, evaluated in its own phase; cuda_graph says
/// whether steps were recorded.
nlohmann::ordered_json Summary(const Experiment& experiment, const ModelConfig& model,
                               const TrainingResult& result, const Evaluation& test,
                               const DataSource& source, c10::Device device);

/// Writes what is run, in MLPerf's keys where it has one; spion_<name> otherwise. Of the keys of a
/// submission it says no more than is true: this is none.
absl::Status LogExperiment(const MlLog& log, const Experiment& experiment, const TaskData& data,
                           c10::Device device);

}  // namespace spion

#endif  // SPION_RUN_REPORTS_H_
