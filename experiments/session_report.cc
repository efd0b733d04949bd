#include "experiments/session_report.h"

#include <nlohmann/json.hpp>
#include <string>

#include "spion/run/reports.h"
#include "spion/train/experiment.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

void SayChoices(const Session& session, Progress& progress) {
  for (const std::string& choice : session.choices) progress.Say(choice);
}

nlohmann::ordered_json ManifestOf(const Session& session, const Options& options,
                                  const std::vector<RankPlace>& places) {
  const HyperParameters& h = session.experiment.hyper_parameters;
  nlohmann::ordered_json manifest =
      Manifest(session.experiment, ModelConfigFor(session.data.shape, h), session.data.source,
               session.device, options.command);
  AddRanks(places, h, manifest);
  return manifest;
}

}  // namespace spion
