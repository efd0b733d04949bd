// Where a training writes, and from where it goes on.
#ifndef EXPERIMENTS_RUN_PLACE_H_
#define EXPERIMENTS_RUN_PLACE_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "spion/run/progress.h"
#include "spion/run/resume.h"
#include "spion/run/run_directory.h"

namespace spion {

/// The folder, and what an earlier run left there if it is to be gone on with.
struct RunPlace {
  RunDirectory run;
  Resumption earlier;
};

/// Says what is there. `manifest`: of the run that is asked for. Errors: those of RunDirectory, and
/// with `resume` those of LookAtEarlierRun.
absl::StatusOr<RunPlace> MakePlace(const std::string& out_dir, bool resume,
                                   const nlohmann::ordered_json& manifest, Progress& progress);

}  // namespace spion

#endif  // EXPERIMENTS_RUN_PLACE_H_
