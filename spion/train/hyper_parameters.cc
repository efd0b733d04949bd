#include "spion/train/hyper_parameters.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/command_line.h"

namespace spion {
namespace {

struct PaperRow {
  absl::string_view task;
  int64_t layers, batch_size;
  double learning_rate;
  int64_t warmup_steps, steps, capture_interval, block_size;
  double density, threshold;
};

constexpr PaperRow kPaper[] = {
    {"image", 2, 128, 1e-4, 175, 10'000, 500, 32, 0.04, 0.96},
    {"listops", 4, 256, 7e-4, 1000, 30'000, 500, 64, 0.04, 0.98},
    {"retrieval", 2, 32, 3e-4, 800, 40'000, 200, 64, 0.021, 0.99},
    {"text", 2, 32, 1e-4, 80, 30'000, 200, 64, 0.03, 0.99},
    {"pathfinder", 2, 256, 3e-4, 312, 50'000, 500, 32, 0.05, 0.96},
};

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

// A field that a flag sets, and the whole numbers that it takes, or the range (0, 1].
using Field = std::variant<int64_t HyperParameters::*, int HyperParameters::*,
                           double HyperParameters::*, bool HyperParameters::*>;

struct Setting {
  HyperParameterFlag flag;
  Field field;
  int64_t least = 0;
  int64_t most = kLargestSetting;
};

constexpr Setting kSettings[] = {
    {{"steps", "N", "training steps"}, &HyperParameters::steps, 1},
    {{"batch_size", "N", "examples a step"}, &HyperParameters::batch_size, 1},
    {{"learning_rate", "X", "at its highest"}, &HyperParameters::learning_rate},
    {{"warmup_steps", "N", "until the learning rate is at its highest"},
     &HyperParameters::warmup_steps},
    {{"sequence_length", "N", "cut longer ones, where the task has padding; 0: none is"},
     &HyperParameters::sequence_length},
    {{"capture_interval", "N", "steps from one look at the attention maps to the next"},
     &HyperParameters::capture_interval,
     1},
    {{"transition_limit_percent", "N", "maps that change by less have settled"},
     &HyperParameters::transition_limit_percent,
     0,
     100},
    {{"dense_step_limit", "N", "settled or not, the dense phase ends by this step; 0: never"},
     &HyperParameters::dense_step_limit},
    {{"block_size", "N", "of the patterns, in tokens"}, &HyperParameters::block_size, 1},
    {{"density", "X", "SPION-C: share of the blocks that are kept"}, &HyperParameters::density},
    {{"threshold", "X", "SPION-F and -CF: quantile that a marked block must exceed"},
     &HyperParameters::threshold},
    {{"shared_pattern", kSwitchValues, "one pattern for all layers"},
     &HyperParameters::shared_pattern},
    {{"excluded_pruned", kSwitchValues, "leave pruned entries out of the softmax"},
     &HyperParameters::excluded_pruned},
    {{"continued_schedule", kSwitchValues, "do not restart the learning rate at the transition"},
     &HyperParameters::continued_schedule},
    {{"evaluation_interval", "N", "steps from one look at the dev set to the next"},
     &HyperParameters::evaluation_interval,
     1},
    {{"dev_examples", "N", "of the dev set; 0: all"}, &HyperParameters::dev_examples},
    {{"test_examples", "N", "of the test set; 0: all"}, &HyperParameters::test_examples},
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
    const bool good = absl::SimpleAtod(text, &number) && number > 0 && number <= 1;
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

absl::Span<const HyperParameterFlag> HyperParameterFlags() {
  static const auto* flags = [] {
    auto* all = new std::vector<HyperParameterFlag>;
    for (const Setting& setting : kSettings) all->push_back(setting.flag);
    return all;
  }();
  return *flags;
}

absl::Status SetHyperParameter(HyperParameters& h, absl::string_view name, absl::string_view text) {
  const auto* setting =
      std::find_if(std::begin(kSettings), std::end(kSettings),
                   [&](const Setting& candidate) { return candidate.flag.name == name; });
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
  const auto* row = std::find_if(std::begin(kPaper), std::end(kPaper),
                                 [&](const PaperRow& candidate) { return candidate.task == task; });
  if (row == std::end(kPaper)) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no task \"", task, "\"; the tasks are ",
                     absl::StrJoin(kPaper, ", ", [](std::string* out, const PaperRow& paper_row) {
                       absl::StrAppend(out, paper_row.task);
                     })));
  }
  HyperParameters h;
  h.layers = row->layers;
  h.batch_size = row->batch_size;
  h.learning_rate = row->learning_rate;
  h.warmup_steps = row->warmup_steps;
  h.steps = row->steps;
  h.capture_interval = row->capture_interval;
  h.evaluation_interval = row->capture_interval;
  h.block_size = row->block_size;
  h.density = row->density;
  h.threshold = row->threshold;
  if (preset == Preset::kQuick) MakeQuick(h);
  return h;
}

}  // namespace spion
