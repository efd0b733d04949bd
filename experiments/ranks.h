// A training by several ranks, beside what rank 0 does as one process alone would: all of the
// ranks' calls match those of run_experiment.cc.
#ifndef EXPERIMENTS_RANKS_H_
#define EXPERIMENTS_RANKS_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "experiments/outcome.h"
#include "experiments/session.h"
#include "spion/collective/team.h"
#include "spion/run/progress.h"

namespace spion {

// All throw what the group throws.

/// Whether all ranks are to run what rank 0 is, by their manifests. Errors, on all ranks:
/// FailedPrecondition, naming the ranks and what differs.
absl::Status CheckOneRun(const nlohmann::ordered_json& manifest, Group& group);

/// What rank 0 found where the run writes.
enum class RunStart { kHasEnded, kAnew, kGoesOn };
/// Rank 0's; what the others give does not matter.
RunStart ShareStart(RunStart start, Group& group);

/// The part of a rank that is not rank 0: trains, and tests the best model, and writes nothing;
/// Errors: those of training and test.
absl::StatusOr<Outcome> FollowTraining(const Session& session, Team& team, Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RANKS_H_
