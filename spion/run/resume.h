// Going on with an earlier run in its folder: whether it is the same run, and from where.
//
//   ASSIGN_OR_RETURN(const RunDirectory run, RunDirectory::Resume(out_dir));
//   ASSIGN_OR_RETURN(const Resumption earlier, LookAtEarlierRun(run, manifest));
#ifndef SPION_RUN_RESUME_H_
#define SPION_RUN_RESUME_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/run/run_directory.h"
#include "spion/train/training_state.h"

namespace spion {

struct Resumption {
  /// The earlier run is over: it has a summary.json, which this is.
  std::optional<nlohmann::ordered_json> summary;
  /// From which training goes on; nothing: from the first step, as no state was saved.
  std::optional<TrainingState> state;
  /// The earlier run's, with this process's part in its list `resumed`: date, step, commit,
  /// versions, machine, command. To be written when training goes on.
  nlohmann::ordered_json manifest;
  /// For the user: what is not as it was, and may be so ("the commit").
  std::vector<std::string> notes;
};

/// `manifest` is that of the run that is asked for; `run` has earlier files.
/// Errors: FailedPrecondition, naming each difference, if the earlier run is another one (task,
/// method, seed, hyper-parameters, data, precision, kind of device, threads of a CPU unless several
/// ranks ran or are to); those of its files.
absl::StatusOr<Resumption> LookAtEarlierRun(const RunDirectory& run,
                                            const nlohmann::ordered_json& manifest);

/// For the user, where the run's state cannot be used: `why`, which names the file if it does not
/// yet, and the ways out. What is no DataLoss stays as it is.
absl::Status UnusableState(const absl::Status& why, const RunDirectory& run);

/// What would make `here` another run than `there`, two manifests: "seed 1001 there, 1002 here".
std::vector<std::string> RunDifferences(const nlohmann::ordered_json& there,
                                        const nlohmann::ordered_json& here);

/// The same of what makes `here` another program: commit, whether with changes that are not
/// committed, LibTorch, CUDA. What the changes are is not compared.
std::vector<std::string> BuildDifferences(const nlohmann::ordered_json& there,
                                          const nlohmann::ordered_json& here);

}  // namespace spion

#endif  // SPION_RUN_RESUME_H_
