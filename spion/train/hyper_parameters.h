// Every number of an experiment, in one table.
//
//   ASSIGN_OR_RETURN(HyperParameters h, HyperParametersFor("image", Preset::kPaper));
//
// `paper` is each task's entry in spion/data/tasks.bzl; `quick` is ours: the same method at a size
// that a two-core CPU takes through the transition within three minutes.
#ifndef SPION_TRAIN_HYPER_PARAMETERS_H_
#define SPION_TRAIN_HYPER_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

enum class Preset { kQuick, kPaper };

absl::string_view PresetName(Preset preset);

struct HyperParameters {
  // Model. The task brings length, vocabulary and classes.
  int64_t layers = 2;
  /// In training, of the embedding, of the sum of each branch and of the MLP's hidden numbers.
  double dropout = 0.1;
  /// Longer sequences are cut to this, where the task has padding; 0: none is.
  int64_t sequence_length = 0;

  // Optimisation: AdamW, as published without weight decay, gradients clipped by value.
  int64_t batch_size = 0;
  double learning_rate = 0;
  int64_t warmup_steps = 0;
  int64_t steps = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0;
  double gradient_limit = 1.0;

  // The three phases.
  int64_t capture_interval = 0;
  int64_t block_size = 0;
  double density = 0;    // SPION-C
  double threshold = 0;  // SPION-F and -CF
  int64_t transition_limit_percent = 15;
  /// The dense phase ends at the last capture up to this step even if the maps have not settled;
  /// 0: never.
  int64_t dense_step_limit = 0;

  // What the ablation turns, one at a time; all false: SPION-CF and -C as published.
  /// One pattern for all layers, made from the mean of their maps.
  bool shared_pattern = false;
  /// In place of a pattern's blocks off the diagonal as many at random places: what is left of the
  /// method if it does not matter which they are.
  bool shuffled_pattern = false;
  /// Pruned entries are left out of the softmax instead of counting as score 0.
  bool excluded_pruned = false;
  /// The learning rate goes on at the transition instead of starting its schedule anew. A run has
  /// its method's (nn/method.h) unless told otherwise: published SPION-F goes on.
  bool continued_schedule = false;

  // Evaluation: every how many steps, and how many examples of a split count; 0: all.
  int64_t evaluation_interval = 0;
  int64_t dev_examples = 0;
  int64_t test_examples = 0;
  /// Examples evaluated at a time: those of small training batches go together.
  int64_t evaluation_batch_size() const { return batch_size < 16 ? 16 : batch_size; }
};

/// Errors: InvalidArgument for a task that is not in tasks.bzl, naming those that are.
absl::StatusOr<HyperParameters> HyperParametersFor(absl::string_view task, Preset preset);

/// The largest number of steps, examples and tokens that a setting may name: products of two of
/// them fit 64 bits.
inline constexpr int64_t kLargestSetting = (int64_t{1} << 31) - 1;

/// Each under the name by which results know it; without the dropout, which they tell of the model.
using HyperParameterValue = std::variant<int64_t, double, bool>;
std::vector<std::pair<absl::string_view, HyperParameterValue>> HyperParameterValues(
    const HyperParameters& h);

/// A hyper-parameter that a run may have otherwise than its preset: for command lines.
struct HyperParameterFlag {
  absl::string_view name;
  absl::string_view values;  // as a help text shows them
  absl::string_view help;
};

absl::Span<const HyperParameterFlag> HyperParameterFlags();

/// Sets one of HyperParameterFlags from its text. What it must fit besides: check_settings.h.
/// Errors: InvalidArgument `"<text>"; expected <what>`, or naming a flag that there is not; `h` is
/// then untouched.
absl::Status SetHyperParameter(HyperParameters& h, absl::string_view name, absl::string_view text);

/// `<value>; expected <what>` if the hyper-parameter is out of its range, by the name of its flag,
/// or that of results where it has none. Empty if it is in it, and of what is no hyper-parameter.
std::string OutOfRange(const HyperParameters& h, absl::string_view name);

}  // namespace spion

#endif  // SPION_TRAIN_HYPER_PARAMETERS_H_
