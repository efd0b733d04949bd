#include "spion/train/hyper_parameters.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "spion/base/command_line.h"
#include "spion/data/task_registry.h"

namespace spion {
namespace {

// What `quick` changes, for minutes on two CPU cores: small batches, long sequences cut; a higher
// learning rate, as there are few steps; captures close together and a limit to the dense phase, so
// that the sparse phase is always reached. With half the batch, or half the steps, SPION-CF on
// CIFAR-10 stays at 11 to 18 %, where 10 % is chance.
void MakeQuick(HyperParameters& h) {
  constexpr int64_t kBlockOfLongTasks = 64;
  const bool is_long = h.block_size == kBlockOfLongTasks;
  if (is_long) {
    h.sequence_length = 512;
    h.block_size = 16;  // of larger ones, the diagonal alone is denser than the pattern
  }
  h.batch_size = 16;
  h.learning_rate = is_long ? 2e-3 : 1e-3;
  h.warmup_steps = 20;
  h.steps = is_long ? 300 : 600;
  h.capture_interval = 20;
  h.dense_step_limit = 80;
  h.evaluation_interval = 50;
  h.dev_examples = 256;
  h.test_examples = 2000;
}

// A hyper-parameter: its name among those of results, its field, and where a flag sets it, that
// flag and the whole numbers that it takes; fractions are in (0, 1], or in [0, 1).
using Field =
    std::variant<int64_t HyperParameters::*, double HyperParameters::*, bool HyperParameters::*>;

struct Setting {
  absl::string_view name;  // "": results tell it of the model
  Field field;
  HyperParameterFlag flag = {};  // without a name: no flag
  int64_t least = 0;
  int64_t most = kLargestSetting;
  bool is_from_zero = false;  // a fraction in [0, 1)
};

using H = HyperParameters;
constexpr Setting kSettings[] = {
    {"layers", &H::layers},
    {.name = "",
     .field = &H::dropout,
     .flag = {"dropout", "X", "in training, of embedding, branches and MLP; 0: none"},
     .is_from_zero = true},
    {"sequence_length_limit",
     &H::sequence_length,
     {"sequence_length", "N", "cut longer ones, where the task has padding; 0: none is"}},
    {"batch_size", &H::batch_size, {"batch_size", "N", "examples a step"}, 1},
    {"learning_rate", &H::learning_rate, {"learning_rate", "X", "at its highest"}},
    {"warmup_steps",
     &H::warmup_steps,
     {"warmup_steps", "N", "until the learning rate is at its highest"}},
    {"steps", &H::steps, {"steps", "N", "training steps"}, 1},
    {"beta1", &H::beta1},
    {"beta2", &H::beta2},
    {"epsilon", &H::epsilon},
    {.name = "weight_decay",
     .field = &H::weight_decay,
     .flag = {"weight_decay", "X", "AdamW's, decoupled from the gradient; 0: none"},
     .is_from_zero = true},
    {"gradient_limit", &H::gradient_limit},
    {"capture_interval",
     &H::capture_interval,
     {"capture_interval", "N", "steps from one look at the attention maps to the next"},
     1},
    {"block_size", &H::block_size, {"block_size", "N", "of the patterns, in tokens"}, 1},
    {"density", &H::density, {"density", "X", "SPION-C: share of the blocks that are kept"}},
    {"threshold",
     &H::threshold,
     {"threshold", "X", "SPION-F and -CF: quantile that a marked block must exceed"}},
    {"transition_limit_percent",
     &H::transition_limit_percent,
     {"transition_limit_percent", "N",
      "settled: where the distance between neighbouring maps changes by less, in percent"},
     0,
     100},
    {"dense_step_limit",
     &H::dense_step_limit,
     {"dense_step_limit", "N", "settled or not, the dense phase ends by this step; 0: never"}},
    {"shared_pattern",
     &H::shared_pattern,
     {"shared_pattern", kSwitchValues, "one pattern for all layers"}},
    {"shuffled_pattern",
     &H::shuffled_pattern,
     {"shuffled_pattern", kSwitchValues, "as many blocks at random places, the diagonal kept"}},
    {"excluded_pruned",
     &H::excluded_pruned,
     {"excluded_pruned", kSwitchValues, "leave pruned entries out of the softmax"}},
    {"continued_schedule",
     &H::continued_schedule,
     {"continued_schedule", kSwitchValues,
      "do not restart the learning rate at the transition (SPION-F: true, others: false)"}},
    {"evaluation_interval",
     &H::evaluation_interval,
     {"evaluation_interval", "N", "steps from one look at the dev set to the next"},
     1},
    {"dev_examples", &H::dev_examples, {"dev_examples", "N", "of the dev set; 0: all"}},
    {"test_examples", &H::test_examples, {"test_examples", "N", "of the test set; 0: all"}},
};

// The value in `text`, or what was expected there.
struct Reading {
  std::variant<int64_t, double, bool> value;
  std::string expected;  // empty: `value` holds
};

Reading ReadText(const Setting& setting, absl::string_view text) {
  if (std::holds_alternative<bool HyperParameters::*>(setting.field)) {
    const absl::StatusOr<bool> read = ReadSwitch(text);
    return {read.ok() && *read, read.ok() ? "" : "true or false"};
  }
  if (std::holds_alternative<double HyperParameters::*>(setting.field)) {
    double number = 0;
    const bool is_read = absl::SimpleAtod(text, &number);
    if (setting.is_from_zero) {
      const bool good = is_read && number >= 0 && number < 1;
      return {number, good ? "" : "a number from 0 on and below 1"};
    }
    const bool good = is_read && number > 0 && number <= 1;
    return {number, good ? "" : "a number above 0 and not above 1"};
  }
  int64_t number = 0;
  const bool is_read = absl::SimpleAtoi(text, &number);
  const bool has_digits_alone =
      !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
  if (is_read ? number > setting.most : has_digits_alone) {
    return {number, absl::StrCat("at most ", setting.most)};
  }
  const bool good = is_read && number >= setting.least;
  const char* expected =
      setting.least > 0 ? "a positive whole number" : "a whole number, 0 or more";
  return {number, good ? "" : expected};
}

}  // namespace

std::vector<std::pair<absl::string_view, HyperParameterValue>> HyperParameterValues(
    const HyperParameters& h) {
  std::vector<std::pair<absl::string_view, HyperParameterValue>> values;
  for (const Setting& setting : kSettings) {
    if (setting.name.empty()) continue;
    std::visit([&](auto field) { values.emplace_back(setting.name, h.*field); }, setting.field);
  }
  return values;
}

absl::Span<const HyperParameterFlag> HyperParameterFlags() {
  static const auto* flags = [] {
    auto* all = new std::vector<HyperParameterFlag>;
    for (const Setting& setting : kSettings) {
      if (!setting.flag.name.empty()) all->push_back(setting.flag);
    }
    return all;
  }();
  return *flags;
}

absl::Status SetHyperParameter(HyperParameters& h, absl::string_view name, absl::string_view text) {
  const auto* setting = std::find_if(
      std::begin(kSettings), std::end(kSettings),
      [&](const Setting& candidate) { return !name.empty() && candidate.flag.name == name; });
  if (setting == std::end(kSettings)) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no hyper-parameter \"", name, "\" to set"));
  }
  const Reading reading = ReadText(*setting, text);
  if (!reading.expected.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\"; expected ", reading.expected));
  }
  std::visit(
      [&](auto field) {
        std::visit(
            [&](auto value) { h.*field = static_cast<std::decay_t<decltype(h.*field)>>(value); },
            reading.value);
      },
      setting->field);
  return absl::OkStatus();
}

absl::string_view PresetName(Preset preset) { return preset == Preset::kQuick ? "quick" : "paper"; }

absl::StatusOr<HyperParameters> HyperParametersFor(absl::string_view task, Preset preset) {
  const absl::StatusOr<PaperSettings> paper = PaperSettingsOf(task);
  if (!paper.ok()) return absl::InvalidArgumentError(paper.status().message());
  HyperParameters h;
  h.layers = paper->layers;
  h.batch_size = paper->batch_size;
  h.learning_rate = paper->learning_rate;
  h.warmup_steps = paper->warmup_steps;
  h.steps = paper->steps;
  h.capture_interval = paper->capture_interval;
  h.evaluation_interval =
      paper->evaluation_interval > 0 ? paper->evaluation_interval : paper->capture_interval;
  h.dev_examples = paper->dev_examples;
  h.block_size = paper->block_size;
  h.density = paper->density;
  h.threshold = paper->threshold;
  if (preset == Preset::kQuick) MakeQuick(h);
  return h;
}

}  // namespace spion
