#include "spion/train/hyper_parameters.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
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

// A hyper-parameter: its name among those of results, its field, the flag that sets it, if any, and
// its range: of whole numbers the least and the most; fractions are in (0, 1], or in [0, 1); a
// number that is no fraction is above 0 and finite.
using Field =
    std::variant<int64_t HyperParameters::*, double HyperParameters::*, bool HyperParameters::*>;

struct Setting {
  absl::string_view name;  // "": results tell it of the model
  Field field;
  HyperParameterFlag flag = {};  // without a name: no flag
  int64_t least = 0;
  int64_t most = kLargestSetting;
  bool is_from_zero = false;  // a fraction in [0, 1)
  bool is_fraction = true;
};

using H = HyperParameters;
constexpr Setting kSettings[] = {
    {.name = "layers", .field = &H::layers, .least = 1, .most = 1024},
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
    {.name = "beta1", .field = &H::beta1, .is_from_zero = true},
    {.name = "beta2", .field = &H::beta2, .is_from_zero = true},
    {"epsilon", &H::epsilon},
    {.name = "weight_decay",
     .field = &H::weight_decay,
     .flag = {"weight_decay", "X", "AdamW's, decoupled from the gradient; 0: none"},
     .is_from_zero = true},
    {.name = "gradient_limit", .field = &H::gradient_limit, .is_fraction = false},
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

// By which check_settings.h and users know it.
absl::string_view NameOf(const Setting& setting) {
  return setting.flag.name.empty() ? setting.name : setting.flag.name;
}

HyperParameterValue ValueOf(const Setting& setting, const HyperParameters& h) {
  return std::visit([&](auto field) { return HyperParameterValue(h.*field); }, setting.field);
}

// Written so that NaN is in no range.
bool IsInRange(const Setting& setting, const HyperParameterValue& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) {
    return *whole >= setting.least && *whole <= setting.most;
  }
  if (const auto* fraction = std::get_if<double>(&value)) {
    // As the kernels take it: 1 - 1e-9 would be 1.
    if (!setting.is_fraction) return *fraction > 0 && std::isfinite(*fraction);
    return setting.is_from_zero ? *fraction >= 0 && static_cast<float>(*fraction) < 1
                                : *fraction > 0 && *fraction <= 1;
  }
  return true;
}

std::string RangeText(const Setting& setting) {
  if (std::holds_alternative<bool HyperParameters::*>(setting.field)) return "true or false";
  if (std::holds_alternative<double HyperParameters::*>(setting.field)) {
    if (!setting.is_fraction) return "a finite number above 0";
    return setting.is_from_zero ? "a number from 0 on and below 1"
                                : "a number above 0 and not above 1";
  }
  return absl::StrCat("a whole number from ", setting.least, " to ", setting.most);
}

// Nothing where `text` is no value of the setting's kind.
std::optional<HyperParameterValue> Read(const Setting& setting, absl::string_view text) {
  if (std::holds_alternative<bool HyperParameters::*>(setting.field)) {
    const absl::StatusOr<bool> is_on = ReadSwitch(text);
    return is_on.ok() ? std::optional<HyperParameterValue>(*is_on) : std::nullopt;
  }
  if (std::holds_alternative<double HyperParameters::*>(setting.field)) {
    double fraction = 0;
    return absl::SimpleAtod(text, &fraction) ? std::optional<HyperParameterValue>(fraction)
                                             : std::nullopt;
  }
  int64_t whole = 0;
  return absl::SimpleAtoi(text, &whole) ? std::optional<HyperParameterValue>(whole) : std::nullopt;
}

}  // namespace

std::vector<std::pair<absl::string_view, HyperParameterValue>> HyperParameterValues(
    const HyperParameters& h) {
  std::vector<std::pair<absl::string_view, HyperParameterValue>> values;
  for (const Setting& setting : kSettings) {
    if (setting.name.empty()) continue;
    values.emplace_back(setting.name, ValueOf(setting, h));
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
  const std::optional<HyperParameterValue> value = Read(*setting, text);
  if (!value.has_value() || !IsInRange(*setting, *value)) {
    return BadValue(text, RangeText(*setting));
  }
  std::visit([&](auto field) { h.*field = std::get<std::decay_t<decltype(h.*field)>>(*value); },
             setting->field);
  return absl::OkStatus();
}

std::string OutOfRange(const HyperParameters& h, absl::string_view name) {
  const auto* setting =
      std::find_if(std::begin(kSettings), std::end(kSettings),
                   [&](const Setting& candidate) { return NameOf(candidate) == name; });
  if (setting == std::end(kSettings)) return "";
  const HyperParameterValue value = ValueOf(*setting, h);
  if (IsInRange(*setting, value)) return "";
  return std::visit(
      [&](auto number) { return absl::StrCat(number, "; expected ", RangeText(*setting)); }, value);
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
