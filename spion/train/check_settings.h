// Whether the hyper-parameters of a run fit its task and its method: asked before the first step.
//
//   RETURN_IF_ERROR(CheckSettings(h, context));
//   for (const std::string& note : SettingsNotes(h, context)) progress.Say(note);
#ifndef SPION_TRAIN_CHECK_SETTINGS_H_
#define SPION_TRAIN_CHECK_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "spion/data/task.h"
#include "spion/pattern/generator.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

/// What the settings have to fit.
struct SettingsContext {
  /// False: a checkpoint is evaluated, and what only training needs has no part in it.
  bool trains = true;
  /// Of SPION's methods.
  std::optional<PatternKind> pattern_kind;
  /// Whether its patterns are given, and none is made from the maps.
  bool has_given_patterns = false;
  /// Of the task, before its sequences are cut.
  TaskShape shape;
  int64_t train_examples = 0;
  /// Which share out the batch, and whether they do so on GPUs, which do not take all sizes.
  int64_t ranks = 1;
  bool is_on_gpu = false;
  /// The settings that the user gave, by their flags' names; the others are the preset's. Also
  /// "keep_maps" and "patterns", which are no hyper-parameters, but have no part in every run.
  std::vector<std::string> given;
};

/// Errors: InvalidArgument `--<name>=<value>; expected <what>` for the first setting that is out of
/// its range or does not fit; of one that is not given, that it is the preset's. Settings that have
/// no part in the run are not looked at.
absl::Status CheckSettings(const HyperParameters& h, const SettingsContext& context);

/// Of that what needs neither shape nor examples: that so many ranks can share out the batch
/// evenly.
absl::Status CheckSharedBatch(const HyperParameters& h, const SettingsContext& context);

/// Whether the setting changes anything in the run.
bool HasPart(absl::string_view name, const SettingsContext& context);

/// What there is to say of settings that are good: which of those that are given have no part in
/// the run, and what they make of it that one may not expect. Each is a line.
std::vector<std::string> SettingsNotes(const HyperParameters& h, const SettingsContext& context);

}  // namespace spion

#endif  // SPION_TRAIN_CHECK_SETTINGS_H_
