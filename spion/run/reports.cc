#include "spion/run/reports.h"

#include <ATen/Parallel.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/base/status.h"
#include "spion/base/version.h"
#include "spion/platform/build_info.h"
#include "spion/platform/device.h"
#include "spion/platform/precision.h"
#include "spion/train/phase.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

Json SourceJson(const DataSource& source) {
  return {{"name", source.name},
          {"generated", source.generated},
          {"path", source.path},
          {"sha256", source.sha256},
          {"description", source.description}};
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value.has_value() ? Json(*value) : Json(nullptr);
}

Json HyperParametersJson(const HyperParameters& h) {
  Json json = Json::object();
  for (const auto& [name, value] : HyperParameterValues(h)) {
    std::visit([&](auto v) { json[std::string(name)] = v; }, value);
  }
  return json;
}

Json ModelJson(const ModelConfig& model) {
  return {{"vocabulary", model.vocabulary},
          {"classes", model.classes},
          {"sequence_length", model.length},
          {"sequences", model.sequences},
          {"layers", model.layers},
          {"width", model.width},
          {"feed_forward", model.feed_forward},
          {"heads", model.heads},
          {"dropout", model.dropout}};
}

}  // namespace

Json Manifest(const Experiment& experiment, const ModelConfig& model, const DataSource& source,
              c10::Device device, const std::vector<std::string>& command) {
  const BuildInfo build = GetBuildInfo();
  Json manifest = {{"command", command},
                   {"version", Version()},
                   {"date", absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone())},
                   {"task", experiment.task},
                   {"method", experiment.method.name},
                   {"preset", std::string(PresetName(experiment.preset))},
                   {"seed", experiment.seed},
                   {"hyper_parameters", HyperParametersJson(experiment.hyper_parameters)},
                   {"model", ModelJson(model)},
                   {"data_source", SourceJson(source)},
                   {"device", device.str()},
                   {"device_name", DeviceName(device)},
                   {"precision", std::string(PrecisionName(experiment.precision))},
                   {"threads", device.is_cpu() ? Json(at::get_num_threads()) : Json(nullptr)},
                   {"cpu", DeviceName(at::kCPU)},
                   {"git_commit", build.commit},
                   {"git_dirty", build.dirty},
                   {"torch_version", build.torch_version},
                   {"cuda_version", build.cuda_version},
                   {"compiler", "g++ " __VERSION__}};
  if (experiment.patterns.has_value()) {
    manifest["patterns"] = {{"path", experiment.patterns->path},
                            {"sha256", experiment.patterns->sha256}};
  }
  return manifest;
}

Json Summary(const Experiment& experiment, const ModelConfig& model, const TrainingResult& result,
             const Evaluation& test, const DataSource& source, c10::Device device) {
  std::vector<int64_t> kept;
  for (const BlockPattern& pattern : result.patterns) kept.push_back(pattern.kept_blocks());
  const int64_t block_size = experiment.hyper_parameters.block_size;
  const int64_t blocks_per_side = model.length / block_size;
  const bool has_transition = result.transition_step.has_value();
  const PeakMemory peak = LargerOf(result.earlier_peak, GetPeakMemory(device));
  Json summary = {
      {"task", experiment.task},
      {"method", experiment.method.name},
      {"preset", std::string(PresetName(experiment.preset))},
      {"seed", experiment.seed},
      {"steps", result.steps},
      {"transition_step", OrNull(result.transition_step)},
      {"transition_reason",
       has_transition ? Json(result.settled ? "settled" : "dense_step_limit") : Json(nullptr)},
      {"kept_blocks", kept},
      {"total_blocks", blocks_per_side * blocks_per_side},
      {"block_size", block_size},
      {"sequence_length", model.length},
      {"batch_size", experiment.hyper_parameters.batch_size},
      {"dev_accuracy", result.best.dev_accuracy},
      {"test_accuracy", test.accuracy},
      {"test_examples", test.examples},
      {"test_step", result.best.step},
      {"test_phase", std::string(PhaseName(result.best.phase))},
      {"train_seconds", result.train_seconds},
      {"step_ms", OrNull(result.step_ms)},
      {"step_ms_dense", OrNull(result.step_ms_dense)},
      {"step_ms_sparse", OrNull(result.step_ms_sparse)},
      {"cuda_graph", result.recorded},
      {"peak_memory_mib", peak.used_mib},
      {"peak_reserved_mib", peak.reserved_mib},
      {"data_source", SourceJson(source)},
      {"device", device.str()},
      {"device_name", DeviceName(device)},
      {"precision", std::string(PrecisionName(experiment.precision))}};
  return summary;
}

void AddRanks(const std::vector<RankPlace>& places, const HyperParameters& hyper_parameters,
              Json& json) {
  if (places.empty()) return;
  Json ranks = Json::array();
  for (const RankPlace& place : places) {
    ranks.push_back(
        {{"host", place.host}, {"device", place.device}, {"device_name", place.device_name}});
  }
  json["global_batch_size"] = hyper_parameters.batch_size;
  json["batch_size_of_rank"] = hyper_parameters.batch_size / static_cast<int64_t>(places.size());
  json["ranks"] = std::move(ranks);
}

void AddExchange(const TrainingResult& result, Json& summary) {
  if (result.exchange_ms.empty()) return;
  summary["all_reduce_ms"] = result.exchange_ms[0];
  for (size_t rank = 0; rank < result.exchange_ms.size(); ++rank) {
    summary["ranks"][rank]["all_reduce_ms"] = result.exchange_ms[rank];
  }
}

void AddDenseAttention(const Experiment& experiment, const TaskShape& shape, c10::Device device,
                       Json& summary) {
  if (!experiment.method.has_every_block) return;
  const bool is_every_block = WhyNotEveryBlock(experiment, shape, device).empty();
  summary["dense_attention"] = is_every_block ? "every block" : "LibTorch";
}

absl::Status LogExperiment(const MlLog& log, const Experiment& experiment, const TaskData& data,
                           c10::Device device) {
  const HyperParameters& h = experiment.hyper_parameters;
  const std::pair<const char*, Json> values[] = {
      {"submission_benchmark", "lra_" + experiment.task},
      {"submission_org", "none: this is no submission"},
      {"submission_division", "open"},
      {"submission_status", "research"},
      {"submission_platform", DeviceName(device)},
      {"cache_clear", false},
      {"seed", experiment.seed},
      {"global_batch_size", h.batch_size},
      {"gradient_accumulation_steps", 1},
      {"train_samples", data.train.examples()},
      {"eval_samples", EvaluatedExamples(data.dev.examples(), h.dev_examples)},
      {"max_sequence_length", data.shape.sequence_length},
      {"max_steps", h.steps},
      {"opt_name", "adamw"},
      {"opt_base_learning_rate", h.learning_rate},
      {"opt_learning_rate_warmup_steps", h.warmup_steps},
      {"opt_learning_rate_training_steps", h.steps},
      {"opt_learning_rate_decay_schedule", "one-cycle, linear"},
      {"opt_adamw_beta_1", h.beta1},
      {"opt_adamw_beta_2", h.beta2},
      {"opt_adamw_epsilon", h.epsilon},
      {"opt_adamw_weight_decay", h.weight_decay},
      {"spion_method", experiment.method.name},
      {"spion_preset", std::string(PresetName(experiment.preset))},
      {"spion_precision", std::string(PrecisionName(experiment.precision))},
      {"spion_generated_data", data.source.generated},
      {"spion_hyper_parameters", HyperParametersJson(h)}};
  for (const auto& [key, value] : values) RETURN_IF_ERROR(log.Point(key, value));
  return absl::OkStatus();
}

}  // namespace spion
