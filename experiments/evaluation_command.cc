#include "experiments/evaluation_command.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "experiments/start_command.h"
#include "spion/base/shell_word.h"
#include "spion/train/check_settings.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

std::string EvaluationCommand(const Experiment& experiment, const Options& options,
                              const TaskShape& shape, const std::string& checkpoint) {
  const Options defaults;
  std::string command =
      absl::StrCat(StartCommand(experiment.task, experiment.method.name), " --mode=eval");
  const auto add = [&](absl::string_view name, const std::string& value) {
    absl::StrAppend(&command, " --", name, "=", ShellWord(value));
  };
  add("checkpoint", checkpoint);
  add("preset", std::string(PresetName(experiment.preset)));
  if (!options.data_dir.empty()) add("data_dir", options.data_dir);
  if (options.seed != defaults.seed) add("seed", absl::StrCat(options.seed));
  if (options.device != defaults.device) add("device", options.device);
  if (options.precision != defaults.precision) add("precision", options.precision);
  const SettingsContext evaluation{.trains = false,
                                   .pattern_kind = experiment.method.pattern_kind,
                                   .shape = shape,
                                   .train_examples = 0,
                                   .given = {}};
  for (const auto& [name, text] : experiment.given) {
    if (HasPart(name, evaluation)) add(name, text);
  }
  return command;
}

}  // namespace spion
