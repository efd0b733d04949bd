#include "experiments/session.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "baselines/registry.h"
#include "experiments/choose_preset.h"
#include "spion/base/parallel.h"
#include "spion/base/shell_word.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/data/cut_sequences.h"
#include "spion/data/task_registry.h"
#include "spion/pattern/patterns_file.h"
#include "spion/platform/precision.h"
#include "spion/train/check_settings.h"
#include "spion/train/hyper_parameters.h"

namespace spion {
namespace {

// How much a `quick` run generates: more than it trains on, and made within a second. `paper` takes
// the published sizes, which are the tasks' own.
constexpr GeneratedSizes kQuickSizes = {.train = 8000, .dev = 1000, .test = 2000};

// Where there is nothing of a task in a data folder, there is a way to have it.
absl::StatusOr<TaskData> Load(const std::string& task, const TaskOptions& options) {
  absl::StatusOr<TaskData> data = LoadTask(task, options);
  if (options.data_dir.empty() || !absl::IsNotFound(data.status())) return data;
  return absl::NotFoundError(absl::StrCat(
      absl::StripSuffix(data.status().message(), "."), "; bazel run //tools:data -- check ",
      ShellWord(options.data_dir), " tells what is there, and how the rest is to be had"));
}

TaskOptions DataFor(Preset preset, const Options& options) {
  TaskOptions task_options;
  task_options.data_dir = options.data_dir;
  task_options.seed = options.seed;
  if (preset == Preset::kQuick && options.data_dir.empty()) {
    task_options.generated_sizes = kQuickSizes;
  }
  task_options.parallel =
      ThreadedFor(static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  return task_options;
}

// Which of two the full attention of a method is, or that of SPION's dense phase.
std::string DenseAttentionLine(const Session& session) {
  const std::string_view why_not =
      WhyNotEveryBlock(session.experiment, session.data.shape, session.device);
  return absl::StrCat(
      session.experiment.method.pattern_kind.has_value() ? "dense phase: " : "attention: ",
      why_not.empty() ? "SPION's kernels with every block"
                      : "LibTorch's, instead of SPION's kernels with every block: ",
      absl::string_view(why_not.data(), why_not.size()));
}

std::vector<std::string> Choices(const Session& session, const Options& options,
                                 const DeviceChoice& device) {
  std::vector<std::string> choices;
  const Experiment& experiment = session.experiment;
  choices.push_back(absl::StrCat(experiment.method.description, " on ", experiment.task, ", seed ",
                                 experiment.seed));
  choices.push_back(absl::StrCat("data: ", session.data.source.description));
  if (session.data.source.generated) {
    choices.push_back(
        "note: this is GENERATED data, made by this program: its accuracies compare with nothing "
        "published. --data_dir=DIR takes the real data (see README.md).");
  }
  choices.push_back(absl::StrCat("device: ", DeviceName(session.device),
                                 device.reason.empty() ? "" : " (no GPU: " + device.reason + ")",
                                 ", ", PrecisionName(experiment.precision)));
  // What SPION evaluates need not be of the dense phase.
  const bool is_dense = !experiment.method.pattern_kind.has_value() || options.mode != Mode::kEval;
  if (experiment.method.has_every_block && is_dense) {
    choices.push_back(DenseAttentionLine(session));
  }
  const HyperParameters& h = experiment.hyper_parameters;
  choices.push_back(absl::StrFormat(
      "preset: %s%s: %d steps of %d examples, length %d", PresetName(experiment.preset),
      options.preset == PresetChoice::kAuto ? " (chosen by auto)" : "", h.steps, h.batch_size,
      session.data.shape.sequence_length));
  if (experiment.patterns.has_value()) {
    const std::string& path = experiment.patterns->path;
    choices.push_back(experiment.has_lost_patterns()
                          ? absl::StrCat("note: --patterns: ", path,
                                         " is gone: the patterns are those of the run's state")
                          : absl::StrCat("patterns: those of ", path, ", at the transition"));
  }
  return choices;
}

absl::Status RefuseTruncated(const TaskData& data) {
  absl::Status status = CheckNoneIsCut(data);
  if (status.ok()) return status;
  return absl::Status(
      status.code(), absl::StrCat("--refuse_truncated=true: ", status.message(),
                                  ". Give a longer --sequence_length where that is what cuts, take "
                                  "them out of the data, or leave the flag out"));
}

// Of a run whose data are not known yet.
SettingsContext ContextOf(const Options& options, const Method& method, const DeviceChoice& device,
                          int ranks) {
  SettingsContext context;
  context.trains = options.mode != Mode::kEval;
  context.pattern_kind = method.pattern_kind;
  context.ranks = ranks;
  context.is_on_gpu = device.device.is_cuda();
  for (const auto& [name, text] : options.hyper_parameters) context.given.push_back(name);
  if (options.keep_maps) context.given.push_back("keep_maps");
  if (!options.patterns.empty()) context.given.push_back("patterns");
  context.has_given_patterns = !options.patterns.empty();
  return context;
}

// The patterns that the user gives, of a method that takes any.
absl::StatusOr<std::optional<PatternsFile>> GivenPatterns(const Options& options,
                                                          const Method& method) {
  if (options.patterns.empty() || !method.pattern_kind.has_value()) return std::nullopt;
  absl::StatusOr<PatternsFile> file = ReadPatternsFile(options.patterns);
  if (file.ok()) return *std::move(file);
  if (absl::IsNotFound(file.status()) && options.resume) {
    return PatternsFile{.path = options.patterns, .sha256 = "", .layers = {}};
  }
  return absl::Status(file.status().code(), absl::StrCat("--patterns: ", file.status().message()));
}

// Of data that are cut already.
absl::Status CheckPatterns(const Experiment& experiment, const TaskShape& shape) {
  if (!experiment.patterns.has_value() || experiment.has_lost_patterns()) return absl::OkStatus();
  const HyperParameters& h = experiment.hyper_parameters;
  const std::vector<BlockPattern>& layers = experiment.patterns->layers;
  const std::string file = absl::StrCat("--patterns: ", experiment.patterns->path);
  if (static_cast<int64_t>(layers.size()) != h.layers) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, " has patterns of ", layers.size(), " layer(s); expected ", h.layers));
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    if (layers[l].block_size() != h.block_size) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": layer ", l, " has blocks of ", layers[l].block_size(),
                       "; expected ", h.block_size, ", the --block_size of the run"));
    }
    if (layers[l].length() != shape.sequence_length) {
      return absl::InvalidArgumentError(absl::StrCat(file, ": layer ", l, " is for sequences of ",
                                                     layers[l].length(), "; expected ",
                                                     shape.sequence_length));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Experiment> Plan(const Options& options, const DeviceChoice& device, int ranks) {
  ASSIGN_OR_RETURN(Method method, FindMethod(options.method));
  // Checks the task's name before a preset is chosen by its data.
  RETURN_IF_ERROR(HyperParametersFor(options.task, Preset::kQuick).status());
  ASSIGN_OR_RETURN(const Precision precision, ChoosePrecision(options.precision, device.device));
  ASSIGN_OR_RETURN(const Preset preset, ChoosePreset(options, device.device.is_cuda()));
  ASSIGN_OR_RETURN(HyperParameters h, HyperParametersFor(options.task, preset));
  h.continued_schedule = method.continued_schedule;
  for (const auto& [name, text] : options.hyper_parameters) {
    RETURN_IF_ERROR(SetHyperParameter(h, name, text));
  }
  RETURN_IF_ERROR(CheckSharedBatch(h, ContextOf(options, method, device, ranks)));
  ASSIGN_OR_RETURN(std::optional<PatternsFile> patterns, GivenPatterns(options, method));
  return Experiment{.task = options.task,
                    .method = std::move(method),
                    .preset = preset,
                    .hyper_parameters = h,
                    .given = options.hyper_parameters,
                    .seed = options.seed,
                    .precision = precision,
                    .cuda_graph = options.cuda_graph,
                    .keep_maps = options.keep_maps,
                    .patterns = std::move(patterns)};
}

absl::StatusOr<Session> Prepare(const Options& options, const DeviceChoice& device,
                                Experiment experiment, int ranks) {
  const absl::Time start = absl::Now();
  SetFloat32Math(experiment.precision);
  ASSIGN_OR_RETURN(TaskData data, Load(options.task, DataFor(experiment.preset, options)));
  SettingsContext context = ContextOf(options, experiment.method, device, ranks);
  context.shape = data.shape;
  context.train_examples = data.train.examples();
  const HyperParameters h = experiment.hyper_parameters;
  RETURN_IF_ERROR(CheckSettings(h, context));
  if (h.sequence_length > 0) data.ShortenTo(static_cast<int>(h.sequence_length));
  RETURN_IF_ERROR(CheckPatterns(experiment, data.shape));
  if (options.refuse_truncated) RETURN_IF_ERROR(RefuseTruncated(data));
  data.source.description += DescribeCuts(data);
  Session session{.experiment = std::move(experiment),
                  .data = std::move(data),
                  .device = device.device,
                  .out_dir = options.out_dir,
                  .start = start,
                  .choices = {}};
  if (session.out_dir.empty()) {
    session.out_dir = absl::StrCat(UserDirectory(), "/results/", options.task, "_", options.method,
                                   "_seed", options.seed);
  }
  session.choices = Choices(session, options, device);
  for (std::string& note : SettingsNotes(h, context)) session.choices.push_back(std::move(note));
  return session;
}

}  // namespace spion
