// The trace of a training that the user asks for.
#ifndef EXPERIMENTS_RUN_TRACE_H_
#define EXPERIMENTS_RUN_TRACE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "experiments/options.h"
#include "experiments/session.h"
#include "spion/profiling/trace.h"
#include "spion/run/progress.h"
#include "spion/train/training_state.h"

namespace spion {

/// Null if none is asked for. Errors: InvalidArgument for steps that are not trained and for a file
/// in the run's folder, which is made anew later; those of Trace::Create.
absl::StatusOr<std::unique_ptr<Trace>> MakeTrace(const Session& session, const Options& options);

/// Where training goes on after the first of its steps: a trace is of steps that one process trains
/// from its first step on. Errors: those of StepOf.
absl::Status SayIfTraceIsLeftOut(const Trace* trace, const TrainingState& state,
                                 Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RUN_TRACE_H_
