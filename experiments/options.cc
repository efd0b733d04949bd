#include "experiments/options.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/train/hyper_parameters.h"

namespace spion {
namespace {

using Setter = std::function<absl::Status(Options&, absl::string_view)>;

struct Flag {
  absl::string_view name;
  absl::string_view values;  // as shown in the help
  absl::string_view help;
  Setter set;
};

absl::Status BadValue(absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("\"", value, "\"; expected ", expected));
}

Setter OneOf(std::map<std::string, std::function<void(Options&)>> choices) {
  return [choices = std::move(choices)](Options& options, absl::string_view value) {
    const auto found = choices.find(std::string(value));
    if (found == choices.end()) {
      std::vector<std::string> names;
      for (const auto& [name, set] : choices) names.push_back(name);
      return BadValue(value, absl::StrCat("one of ", absl::StrJoin(names, ", ")));
    }
    found->second(options);
    return absl::OkStatus();
  };
}

Setter Path(std::string Options::*field) {
  return [field](Options& options, absl::string_view value) {
    if (value.empty()) return BadValue(value, "a path");
    options.*field =
        (std::filesystem::path(UserDirectory()) / std::string(value)).lexically_normal();
    return absl::OkStatus();
  };
}

Setter Text(std::string Options::*field) {
  return [field](Options& options, absl::string_view value) {
    options.*field = std::string(value);
    return absl::OkStatus();
  };
}

absl::Status SetTraceSteps(Options& options, absl::string_view value) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(value, absl::MaxSplits(':', 1));
  StepRange steps;
  if (!absl::SimpleAtoi(ends.first, &steps.first) || !absl::SimpleAtoi(ends.second, &steps.last) ||
      steps.first < 1 || steps.last < steps.first) {
    return BadValue(value, "FIRST:LAST, counted from 1, as in 100:131");
  }
  options.trace_steps = steps;
  return absl::OkStatus();
}

const std::vector<Flag>& Flags() {
  static const auto* flags = new std::vector<Flag>{
      {"mode", "train|eval", "train a model, or evaluate a checkpoint on the test set (train)",
       OneOf({{"train", [](Options& o) { o.mode = Mode::kTrain; }},
              {"eval", [](Options& o) { o.mode = Mode::kEval; }}})},
      {"preset", "auto|quick|paper",
       "quick: minutes on a CPU. paper: the published setting. auto: paper with a GPU and real "
       "data, else quick (auto)",
       OneOf({{"auto", [](Options& o) { o.preset = PresetChoice::kAuto; }},
              {"quick", [](Options& o) { o.preset = PresetChoice::kQuick; }},
              {"paper", [](Options& o) { o.preset = PresetChoice::kPaper; }}})},
      {"data_dir", "DIR", "the folder with the task's data; none: generated data",
       Path(&Options::data_dir)},
      {"out_dir", "DIR", "where results go (results/<task>_<method>_seed<seed>)",
       Path(&Options::out_dir)},
      {"seed", "N", "of weights, data order, dropout and generated data (1001)",
       [](Options& options, absl::string_view value) {
         return absl::SimpleAtoi(value, &options.seed)
                    ? absl::OkStatus()
                    : BadValue(value, "a whole number from 0 to 2^64 - 1");
       }},
      {"device", "auto|cpu|cuda", "auto: a GPU where there is one that SPION can use (auto)",
       OneOf({{"auto", [](Options& o) { o.device = "auto"; }},
              {"cpu", [](Options& o) { o.device = "cpu"; }},
              {"cuda", [](Options& o) { o.device = "cuda"; }}})},
      {"precision", "auto|float32|tf32|bfloat16",
       "of the model around and in the attention; weights and optimiser are float32 always. auto: "
       "bfloat16 on a GPU, float32 on the CPU (auto)",
       OneOf({{"auto", [](Options& o) { o.precision = "auto"; }},
              {"float32", [](Options& o) { o.precision = "float32"; }},
              {"tf32", [](Options& o) { o.precision = "tf32"; }},
              {"bfloat16", [](Options& o) { o.precision = "bfloat16"; }}})},
      {"cuda_graph", "true|false",
       "on a GPU, record the training step once and replay it, which spares the host the starting "
       "of each kernel; false shows profilers the parts of a step (true)",
       OneOf({{"true", [](Options& o) { o.cuda_graph = true; }},
              {"false", [](Options& o) { o.cuda_graph = false; }}})},
      {"trace", "FILE",
       "write a trace of some training steps, for Perfetto or chrome://tracing; traced steps are "
       "slower and do not count for the step times",
       Path(&Options::trace)},
      {"trace_steps", "FIRST:LAST", "which steps --trace records; some 0.3 MB a step (1:32)",
       SetTraceSteps},
      {"checkpoint", "FILE", "the .safetensors file to evaluate; with --mode=eval only",
       Path(&Options::checkpoint)},
  };
  return *flags;
}

// Instead of the preset's.
const std::vector<Flag>& PresetFlags() {
  static const auto* flags = [] {
    auto* all = new std::vector<Flag>;
    for (const HyperParameterFlag& flag : HyperParameterFlags()) {
      all->push_back({flag.name, flag.values, flag.help,
                      [name = flag.name](Options& options, absl::string_view value) {
                        HyperParameters tried;
                        RETURN_IF_ERROR(SetHyperParameter(tried, name, value));
                        options.hyper_parameters.emplace_back(name, value);
                        return absl::OkStatus();
                      }});
    }
    return all;
  }();
  return *flags;
}

// Set by the experiment targets, not by users.
const std::vector<Flag>& TargetFlags() {
  static const auto* flags = new std::vector<Flag>{{"task", "", "", Text(&Options::task)},
                                                   {"method", "", "", Text(&Options::method)}};
  return *flags;
}

const Flag* FindFlag(absl::string_view name) {
  for (const auto* flags : {&Flags(), &PresetFlags(), &TargetFlags()}) {
    const auto found = std::find_if(flags->begin(), flags->end(),
                                    [&](const Flag& flag) { return flag.name == name; });
    if (found != flags->end()) return &*found;
  }
  return nullptr;
}

absl::Status UnknownArgument(absl::string_view argument) {
  std::string names;
  for (const auto* flags : {&Flags(), &PresetFlags()}) {
    for (const Flag& flag : *flags) absl::StrAppend(&names, "--", flag.name, ", ");
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown argument \"", argument, "\"; the flags are ", names, "--help"));
}

absl::Status CheckTogether(const Options& options) {
  if (options.mode == Mode::kEval && options.checkpoint.empty()) {
    return absl::InvalidArgumentError(
        "--mode=eval needs --checkpoint=FILE, such as best_sparse.safetensors of a run's folder");
  }
  if (options.mode == Mode::kTrain && !options.checkpoint.empty()) {
    return absl::InvalidArgumentError("--checkpoint goes with --mode=eval");
  }
  if (options.mode == Mode::kEval && !options.trace.empty()) {
    return absl::InvalidArgumentError("--trace records training steps: it goes with --mode=train");
  }
  if (options.trace_steps.has_value() && options.trace.empty()) {
    return absl::InvalidArgumentError("--trace_steps goes with --trace=FILE");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, char** argv) {
  Options options;
  options.command.assign(argv, argv + argc);
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      options.help = true;
      continue;
    }
    if (argument.substr(0, 2) != "--") return UnknownArgument(argument);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(argument.substr(2), absl::MaxSplits('=', 1));
    const Flag* flag = FindFlag(parts.first);
    if (flag == nullptr) return UnknownArgument(argument);
    absl::string_view value = parts.second;
    if (argument.find('=') == absl::string_view::npos) {
      if (i + 1 >= argc) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag->name, " needs a value: --", flag->name, "=", flag->values));
      }
      value = argv[++i];
    }
    const absl::Status status = flag->set(options, value);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag->name, "=", status.message()));
    }
  }
  if (!options.help) RETURN_IF_ERROR(CheckTogether(options));
  return options;
}

std::string HelpText(const Options& options) {
  std::string text = absl::StrCat("Trains and evaluates method \"", options.method,
                                  "\" on the Long Range Arena task \"", options.task,
                                  "\".\n\n  bazel run //experiments:lra_", options.task, "_",
                                  options.method, " -- [FLAG ...]\n\n");
  const auto append = [&](const std::vector<Flag>& flags) {
    for (const Flag& flag : flags) {
      absl::StrAppendFormat(&text, "  --%-29s %s\n", absl::StrCat(flag.name, "=", flag.values),
                            flag.help);
    }
  };
  append(Flags());
  absl::StrAppend(&text, "\nInstead of the preset's:\n\n");
  append(PresetFlags());
  absl::StrAppend(&text,
                  "\nDefaults in brackets. Ctrl-C stops cleanly and leaves a checkpoint. Results: "
                  "summary.json in --out_dir.\n");
  return text;
}

}  // namespace spion
