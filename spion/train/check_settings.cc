#include "spion/train/check_settings.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/block_size.h"
#include "spion/kernels/token_rows/api.h"

namespace spion {
namespace {

using Context = SettingsContext;

// What a setting in its range must fit besides. Each says "<value>; expected <what>", or nothing of
// a good value.

std::string Whole(int64_t value, int64_t least, int64_t most, absl::string_view why = "") {
  if (value >= least && value <= most) return "";
  return absl::StrCat(value, "; expected a whole number from ", least, " to ", most, why);
}

int64_t Length(const HyperParameters& h, const Context& context) {
  const int64_t length = context.shape.sequence_length;
  const bool is_cut = context.shape.has_padding && h.sequence_length > 0;
  return is_cut ? std::min(h.sequence_length, length) : length;
}

std::string BlockSize(const HyperParameters& h, const Context& context) {
  const int64_t length = Length(h, context);
  const auto fits = [&](int64_t size) {
    // A GPU would refuse the others when the sparse phase begins, perhaps hours later.
    const bool has_kernel = context.is_on_gpu ? TakesBlockSizeOfGpu(size) : TakesBlockSize(size);
    return has_kernel && length % size == 0;
  };
  if (fits(h.block_size)) return "";
  std::vector<int64_t> good;
  for (int64_t size = 1; size <= length; ++size) {
    if (fits(size)) good.push_back(size);
  }
  const std::string taken =
      context.is_on_gpu ? absl::StrCat(kBlockSizesOfGpu, ", which a GPU takes,") : kBlockSizes;
  return absl::StrCat(h.block_size, "; expected ", taken, " that divides the length, ", length,
                      ": ", good.empty() ? "there is none" : absl::StrJoin(good, ", "));
}

std::string DenseStepLimit(const HyperParameters& h, const Context& /*context*/) {
  if (h.dense_step_limit == 0) return "";
  return Whole(h.dense_step_limit, h.capture_interval, kLargestSetting,
               ", or 0 for none: the dense phase ends at a look at the maps, and the first is at "
               "step --capture_interval");
}

std::string SharedBatch(const HyperParameters& h, const Context& context) {
  if (!context.trains || h.batch_size % context.ranks == 0) return "";
  return absl::StrCat(h.batch_size, "; expected a multiple of ", context.ranks,
                      ", as so many ranks share it out evenly; another number of ranks does, too");
}

std::string BatchSize(const HyperParameters& h, const Context& context) {
  if (!context.trains) return "";
  std::string wrong =
      Whole(h.batch_size, 1, context.train_examples, ", the examples that there are to train with");
  if (!wrong.empty() || context.ranks == 1) return wrong;
  if (wrong = SharedBatch(h, context); !wrong.empty()) return wrong;
  const int64_t rows =
      h.batch_size / context.ranks * context.shape.sequences_per_example * Length(h, context);
  if (!context.is_on_gpu || rows % cuda::kRowsPerDraw == 0) return "";
  return absl::StrCat(h.batch_size, "; expected a multiple of ", cuda::kRowsPerDraw * context.ranks,
                      ", as the length is odd, ", Length(h, context), ", and each of ",
                      context.ranks, " ranks draws its part of the dropout for ",
                      cuda::kRowsPerDraw, " tokens at once; an even --sequence_length does, too");
}

bool Always(const Context&) { return true; }
bool InTraining(const Context& context) { return context.trains; }
bool WithPadding(const Context& context) { return context.shape.has_padding; }
bool WithPatterns(const Context& context) {
  return context.trains && context.pattern_kind.has_value();
}
bool WithGenerator(const Context& context) {
  return WithPatterns(context) && !context.has_given_patterns;
}
bool WithDensity(const Context& context) {
  return WithGenerator(context) && context.pattern_kind == PatternKind::kC;
}
bool WithThreshold(const Context& context) {
  return WithGenerator(context) && context.pattern_kind != PatternKind::kC;
}

struct Rule {
  absl::string_view name;
  bool (*has_part)(const Context&);
  std::string (*wrong)(const HyperParameters&, const Context&) = nullptr;  // null: its range is all
};

constexpr Rule kRules[] = {
    {"layers", Always},
    {"dropout", InTraining},
    {"sequence_length", WithPadding},
    {"batch_size", Always, BatchSize},
    {"learning_rate", InTraining},
    {"warmup_steps", InTraining},
    {"steps", InTraining},
    {"beta1", InTraining},
    {"beta2", InTraining},
    {"epsilon", InTraining},
    {"weight_decay", InTraining},
    {"gradient_limit", InTraining},
    {"capture_interval", WithPatterns},
    {"block_size", WithPatterns, BlockSize},
    {"density", WithDensity},
    {"threshold", WithThreshold},
    {"transition_limit_percent", WithPatterns},
    {"dense_step_limit", WithPatterns, DenseStepLimit},
    {"shared_pattern", WithGenerator},
    {"shuffled_pattern", WithPatterns},
    {"excluded_pruned", WithPatterns},
    {"continued_schedule", WithPatterns},
    {"keep_maps", WithPatterns},
    {"patterns", WithPatterns},
    {"evaluation_interval", InTraining},
    {"dev_examples", InTraining},
    {"test_examples", Always},
};

bool IsFlag(absl::string_view name) {
  const auto flags = HyperParameterFlags();
  return std::any_of(flags.begin(), flags.end(),
                     [&](const HyperParameterFlag& flag) { return flag.name == name; });
}

bool IsGiven(absl::string_view name, const Context& context) {
  return std::find(context.given.begin(), context.given.end(), name) != context.given.end();
}

absl::Status Wrong(absl::string_view name, const std::string& wrong, const Context& context) {
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(IsFlag(name) ? "--" : "", name, "=", wrong,
                   IsGiven(name, context) ? "" : "; the value is the preset's"));
}

// Maps can have settled when they are looked at for the third time; the limit ends the dense phase
// with the last look up to it.
int64_t FirstTransition(const HyperParameters& h) {
  const int64_t third = 3 * h.capture_interval;
  if (h.dense_step_limit == 0) return third;
  return std::min(third, h.dense_step_limit / h.capture_interval * h.capture_interval);
}

}  // namespace

absl::Status CheckSettings(const HyperParameters& h, const SettingsContext& context) {
  for (const Rule& rule : kRules) {
    if (!rule.has_part(context)) continue;
    RETURN_IF_ERROR(Wrong(rule.name, OutOfRange(h, rule.name), context));
    if (rule.wrong != nullptr) {
      RETURN_IF_ERROR(Wrong(rule.name, rule.wrong(h, context), context));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSharedBatch(const HyperParameters& h, const SettingsContext& context) {
  return Wrong("batch_size", SharedBatch(h, context), context);
}

bool HasPart(absl::string_view name, const SettingsContext& context) {
  return std::any_of(std::begin(kRules), std::end(kRules),
                     [&](const Rule& rule) { return rule.name == name && rule.has_part(context); });
}

std::vector<std::string> SettingsNotes(const HyperParameters& h, const SettingsContext& context) {
  std::vector<std::string> notes;
  std::vector<std::string> without_part;
  for (const Rule& rule : kRules) {
    if (IsGiven(rule.name, context) && !rule.has_part(context)) {
      without_part.push_back(absl::StrCat("--", rule.name));
    }
  }
  if (!without_part.empty()) {
    notes.push_back(absl::StrCat("note: without effect here: ", absl::StrJoin(without_part, ", ")));
  }
  if (WithPadding(context) && h.sequence_length > context.shape.sequence_length) {
    notes.push_back(absl::StrCat("note: --sequence_length=", h.sequence_length,
                                 " cuts nothing: the task's sequences have at most ",
                                 context.shape.sequence_length));
  }
  if (context.trains && h.warmup_steps > h.steps) {
    notes.push_back(absl::StrCat("note: training ends at step ", h.steps,
                                 ", before the learning rate is at its highest at step ",
                                 h.warmup_steps));
  }
  if (WithPatterns(context) && FirstTransition(h) > h.steps) {
    notes.push_back(absl::StrCat("note: there is no sparse phase: training ends at step ", h.steps,
                                 ", before the dense phase can end at step ", FirstTransition(h)));
  }
  return notes;
}

}  // namespace spion
