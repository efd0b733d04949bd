#include "experiments/options.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "experiments/start_command.h"
#include "spion/base/command_line.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/train/hyper_parameters.h"

namespace spion {
namespace {

FlagSetter SetPath(std::string& field) {
  return [&field](absl::string_view value) {
    if (value.empty()) return BadValue(value, "a path");
    field = (std::filesystem::path(UserDirectory()) / std::string(value)).lexically_normal();
    return absl::OkStatus();
  };
}

FlagSetter SetSteps(int64_t& field) {
  return [&field](absl::string_view value) {
    int64_t steps = 0;
    if (!absl::SimpleAtoi(value, &steps) || steps < 0 || steps > kLargestSetting) {
      return BadValue(value, absl::StrCat("a whole number from 0 to ", kLargestSetting));
    }
    field = steps;
    return absl::OkStatus();
  };
}

FlagSetter SetTraceSteps(std::optional<StepRange>& field) {
  return [&field](absl::string_view value) {
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(value, absl::MaxSplits(':', 1));
    StepRange steps;
    if (!absl::SimpleAtoi(ends.first, &steps.first) ||
        !absl::SimpleAtoi(ends.second, &steps.last) || steps.first < 1 ||
        steps.last < steps.first) {
      return BadValue(value, "FIRST:LAST, counted from 1, as in 100:131");
    }
    field = steps;
    return absl::OkStatus();
  };
}

// Given by the experiment targets; by the user where the program is started by itself.
std::vector<Flag> TargetFlags(Options& options, const KnownNames& known) {
  const auto one_of = [](const std::vector<std::string>& names) {
    return absl::StrCat("one of ", absl::StrJoin(names, ", "));
  };
  return {{"task", "TASK", one_of(known.tasks), SetOneOf(options.task, known.tasks)},
          {"method", "METHOD", one_of(known.methods), SetOneOf(options.method, known.methods)}};
}

std::vector<Flag> RunFlags(Options& options) {
  return {
      {"mode", "train|eval|manifest",
       "train a model, evaluate a checkpoint on the test set, or print as the last line the "
       "manifest that the training would write (train)",
       SetOneOf<Mode>(
           options.mode,
           {{"train", Mode::kTrain}, {"eval", Mode::kEval}, {"manifest", Mode::kManifest}})},
      {"preset", "auto|quick|paper",
       "quick: minutes on a CPU. paper: the published setting. auto: paper with a GPU and real "
       "data, else quick (auto)",
       SetOneOf<PresetChoice>(options.preset, {{"auto", PresetChoice::kAuto},
                                               {"quick", PresetChoice::kQuick},
                                               {"paper", PresetChoice::kPaper}})},
      {"data_dir", "DIR", "the folder with the task's data; none: generated data",
       SetPath(options.data_dir)},
      Switch("refuse_truncated",
             "end with an error, which names the first, where sequences are longer than the model "
             "reads; false: say how many are cut (false)",
             options.refuse_truncated),
      {"out_dir", "DIR", "where results go (results/<task>_<method>_seed<seed>)",
       SetPath(options.out_dir)},
      Switch("resume",
             "go on with the run in --out_dir from the last state that it saved; start where there "
             "is none (false)",
             options.resume),
      {"save_interval", "N", "steps from one saved state to the next; 0: about five minutes (0)",
       SetSteps(options.save_interval)},
      {"seed", "N", "of weights, data order, dropout and generated data (1001)",
       SetWhole(options.seed)},
      {"device", "auto|cpu|cuda",
       "auto: a GPU, or the CPU where there is none; a GPU that cannot be used is an error (auto)",
       SetOneOf(options.device, {"auto", "cpu", "cuda"})},
      {"precision", "auto|float32|tf32|bfloat16",
       "of the model around and in the attention; weights and optimiser are float32 always. auto: "
       "bfloat16 on a GPU, float32 on the CPU (auto)",
       SetOneOf(options.precision, {"auto", "float32", "tf32", "bfloat16"})},
      Switch("cuda_graph",
             "on a GPU, record the training step once and replay it, which spares the host the "
             "starting of each kernel; false shows profilers the parts of a step (true)",
             options.cuda_graph),
      Switch("keep_maps",
             "at the transition write each layer's whole attention map too, into "
             "attention_maps.safetensors: the length squared times 4 bytes a layer (false)",
             options.keep_maps),
      {"patterns", "FILE",
       "at the transition give each layer its pattern of this patterns.json, not one made from its "
       "map",
       SetPath(options.patterns)},
      {"trace", "FILE",
       "write a trace of some training steps, for Perfetto or chrome://tracing; its folder is made "
       "if need be, as --out_dir is; traced steps are slower and do not count for the step times",
       SetPath(options.trace)},
      {"trace_steps", "FIRST:LAST", "which steps --trace records; some 0.3 MB a step (1:32)",
       SetTraceSteps(options.trace_steps)},
      {"checkpoint", "FILE", "the .safetensors file to evaluate; with --mode=eval only",
       SetPath(options.checkpoint)},
      Switch("help", "this text", options.help),
      Switch("version", "which version this is", options.version),
  };
}

// Instead of the preset's.
std::vector<Flag> PresetFlags(Options& options) {
  std::vector<Flag> flags;
  for (const HyperParameterFlag& flag : HyperParameterFlags()) {
    flags.push_back({.name = std::string(flag.name),
                     .values = std::string(flag.values),
                     .help = std::string(flag.help),
                     .set = [&options, name = flag.name](absl::string_view value) {
                       HyperParameters tried;
                       RETURN_IF_ERROR(SetHyperParameter(tried, name, value));
                       options.hyper_parameters.emplace_back(name, value);
                       return absl::OkStatus();
                     }});
  }
  return flags;
}

absl::Status CheckTarget(const Options& options, const KnownNames& known) {
  std::vector<std::string> missing;
  if (options.task.empty()) {
    missing.push_back(absl::StrCat("--task (one of ", absl::StrJoin(known.tasks, ", "), ")"));
  }
  if (options.method.empty()) {
    missing.push_back(absl::StrCat("--method (one of ", absl::StrJoin(known.methods, ", "), ")"));
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("missing: ", absl::StrJoin(missing, " and "),
                   "; a target such as //experiments:lra_image_cf gives both"));
}

absl::Status CheckTogether(const Options& options) {
  if (options.mode == Mode::kEval && options.checkpoint.empty()) {
    return absl::InvalidArgumentError(
        "--mode=eval needs --checkpoint=FILE, such as best_sparse.safetensors of a run's folder");
  }
  if (options.mode != Mode::kEval && !options.checkpoint.empty()) {
    return absl::InvalidArgumentError("--checkpoint goes with --mode=eval");
  }
  if (options.mode != Mode::kTrain && !options.trace.empty()) {
    return absl::InvalidArgumentError("--trace records training steps: it goes with --mode=train");
  }
  if (options.mode != Mode::kTrain && options.resume) {
    return absl::InvalidArgumentError(
        "--resume goes on with a training: it goes with --mode=train");
  }
  if (options.mode == Mode::kEval && !options.patterns.empty()) {
    return absl::InvalidArgumentError(
        "--patterns is of a training; --mode=eval takes the checkpoint's");
  }
  if (options.trace_steps.has_value() && options.trace.empty()) {
    return absl::InvalidArgumentError("--trace_steps goes with --trace=FILE");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> ParseOptions(int argc, char** argv, const KnownNames& known) {
  Options options;
  options.command.assign(argv, argv + argc);
  std::vector<Flag> flags;
  for (std::vector<Flag>& some :
       std::vector{RunFlags(options), PresetFlags(options), TargetFlags(options, known)}) {
    std::move(some.begin(), some.end(), std::back_inserter(flags));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> others,
                   ParseArguments({argv + 1, argv + argc}, flags));
  if (!others.empty()) return UnknownArgument(others.front(), flags);
  if (options.help || options.version) return options;
  RETURN_IF_ERROR(CheckTarget(options, known));
  RETURN_IF_ERROR(CheckTogether(options));
  return options;
}

std::string HelpText(const Options& options, const KnownNames& known) {
  Options scratch;
  std::string text;
  if (!options.task.empty() && !options.method.empty()) {
    text = absl::StrCat("Trains and evaluates method \"", options.method,
                        "\" on the Long Range Arena task \"", options.task, "\".\n\n  ",
                        StartCommand(options.task, options.method), " [FLAG ...]\n\n");
  } else {
    const std::optional<std::string> starter = Starter();
    text = absl::StrCat(
        "Trains and evaluates a method on a task of Long Range Arena.\n\n",
        starter.has_value() ? "" : "  bazel run //experiments:lra_<task>_<method> -- [FLAG ...]\n",
        "  ", starter.value_or("lra"), " --task=TASK --method=METHOD [FLAG ...]\n\n",
        FlagsHelp(TargetFlags(scratch, known)), "\n");
  }
  absl::StrAppend(
      &text, FlagsHelp(RunFlags(scratch)), "\nInstead of the preset's:\n\n",
      FlagsHelp(PresetFlags(scratch)),
      "\nDefaults in brackets. Ctrl-C, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU stop cleanly: "
      "the same command with --resume goes on. Results: summary.json in --out_dir.\nExit code "
      "0: done; 1: an error; 130: stopped by a signal.\n");
  return text;
}

}  // namespace spion
