// Whether the hyper-parameters of a run fit its task and its method: asked before the first step.
//
//   RETURN_IF_ERROR(CheckSettings(h, context));
//   for (const std::string& note : SettingsNotes(h, flags_of_the_user, context))
//   progress.Say(note);
#ifndef SPION_TRAIN_CHECK_SETTINGS_H_
#define SPION_TRAIN_CHECK_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
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
  /// Of the task, before its sequences are cut.
  TaskShape shape;
  int64_t train_examples = 0;
};

/// Errors: InvalidArgument `--<name>=<value>; expected <what>` for the first setting that is out of
/// its range or does not fit. Settings that have no part in the run are not looked at.
absl::Status CheckSettings(const HyperParameters& h, const SettingsContext& context);

/// What there is to say of settings that are good: which of the flags in `given` have no part in
/// the run, and what they make of it that one may not expect. Each is a line.
std::vector<std::string> SettingsNotes(const HyperParameters& h,
                                       absl::Span<const std::string> given,
                                       const SettingsContext& context);

}  // namespace spion

#endif  // SPION_TRAIN_CHECK_SETTINGS_H_
