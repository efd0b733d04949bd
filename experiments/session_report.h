// What a session tells of itself before anything runs: on the console, and in manifest.json.
#ifndef EXPERIMENTS_SESSION_REPORT_H_
#define EXPERIMENTS_SESSION_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "experiments/options.h"
#include "experiments/session.h"
#include "spion/collective/team.h"
#include "spion/run/progress.h"

namespace spion {

/// The lines of session.choices.
void SayChoices(const Session& session, Progress& progress);

/// The content of manifest.json: what is run, on what, and where its ranks are, if there are
/// several.
nlohmann::ordered_json ManifestOf(const Session& session, const Options& options,
                                  const std::vector<RankPlace>& places = {});

}  // namespace spion

#endif  // EXPERIMENTS_SESSION_REPORT_H_
