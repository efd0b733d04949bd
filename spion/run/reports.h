// manifest.json and summary.json of a run, and what mllog.txt says of it before it starts.
#ifndef SPION_RUN_REPORTS_H_
#define SPION_RUN_REPORTS_H_

#include <c10/core/Device.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "spion/collective/team.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/run/mllog.h"
#include "spion/train/evaluation.h"
#include "spion/train/trainer.h"

namespace spion {

/// Everything that makes the run what it is, known before its first step: command,
/// hyper-parameters, model, seed, commit, versions, machine, threads of a CPU, data source, date,
/// and of patterns that are given the file.
nlohmann::ordered_json Manifest(const Experiment& experiment, const ModelConfig& model,
                                const DataSource& source, c10::Device device,
                                const std::vector<std::string>& command);

/// Adds to a manifest or a summary where the ranks of a run of several are, and the batch that they
/// share out. Nothing where one process runs alone.
void AddRanks(const std::vector<RankPlace>& places, const HyperParameters& hyper_parameters,
              nlohmann::ordered_json& json);

/// Adds to a summary that has its ranks the time of a step's exchange: all_reduce_ms, of rank 0,
/// and of each. Nothing where one process ran alone, or did not train.
void AddExchange(const TrainingResult& result, nlohmann::ordered_json& summary);

/// Adds to a summary which full attention computed it, or SPION's dense phase, of methods that have
/// one of two: `dense_attention`, "every block" or "LibTorch".
void AddDenseAttention(const Experiment& experiment, const TaskShape& shape, c10::Device device,
                       nlohmann::ordered_json& summary);

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
