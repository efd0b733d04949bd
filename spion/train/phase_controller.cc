#include "spion/train/phase_controller.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/pattern/block_pooling.h"
#include "spion/pattern/pattern_json.h"
#include "spion/pattern/shuffled_pattern.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

constexpr char kPhase[] = "phases.phase";
constexpr char kCaptures[] = "phases.captures";
constexpr char kDistance[] = "phases.distance";

std::string MapName(const char* which, size_t layer) {
  return absl::StrCat("phases.", which, "_map.", layer);
}

// Of a map on the CPU.
MapView ViewOf(const at::Tensor& map) {
  return {absl::MakeConstSpan(map.const_data_ptr<float>(), static_cast<size_t>(map.numel())),
          map.size(0)};
}

// In double: the sum runs over L * L squares. By rows, as maps are as large as a step's memory.
double Distance(const at::Tensor& map, const at::Tensor& other) {
  constexpr int64_t kRows = 256;
  std::vector<at::Tensor> parts;
  for (int64_t row = 0; row < map.size(0); row += kRows) {
    const int64_t end = std::min(row + kRows, map.size(0));
    parts.push_back(at::linalg_vector_norm(map.slice(0, row, end) - other.slice(0, row, end), 2,
                                           std::nullopt, false, at::kDouble));
  }
  return at::linalg_vector_norm(at::stack(parts)).item<double>();
}

}  // namespace

PhaseController::PhaseController(std::vector<SpionAttention*> layers, const PhaseOptions& options,
                                 Group& group)
    : layers_(std::move(layers)),
      options_(options),
      group_(group),
      transition_test_(static_cast<int>(layers_.size()), options.transition_limit_percent),
      phase_(layers_.empty() ? Phase::kSingle : Phase::kDense) {}

bool PhaseController::IsCaptureStep(int64_t step) const {
  return phase_ == Phase::kDense && step % options_.capture_interval == 0;
}

bool PhaseController::IsLastDenseCapture(int64_t step) const {
  return options_.dense_step_limit > 0 &&
         step + options_.capture_interval > options_.dense_step_limit;
}

void PhaseController::BeforeForward(int64_t step) {
  if (!IsCaptureStep(step)) return;
  for (SpionAttention* layer : layers_) layer->RequestMap();
}

void PhaseController::TakeMaps(int64_t step) {
  if (!IsCaptureStep(step)) return;
  std::vector<at::Tensor> maps;
  for (SpionAttention* layer : layers_) {
    maps.push_back(layer->TakeMap());
    group_.Mean(maps.back());
  }
  taken_maps_ = std::move(maps);  // all of them, or none
}

// All that can fail comes before anything of the controller changes, so that after an error the
// same maps can be looked at again.
absl::StatusOr<std::optional<Capture>> PhaseController::AfterStep(int64_t step) {
  if (!IsCaptureStep(step)) return std::nullopt;
  const ProfileRange range(Region::kCapture);
  TORCH_CHECK(!taken_maps_.empty(), "TakeMaps comes before AfterStep");
  Capture capture;
  if (group_.leads()) {
    ASSIGN_OR_RETURN(capture, Judge(step));
  }
  if (group_.ranks() > 1) RETURN_IF_ERROR(TakeFromRankZero(capture));
  if (capture.transition) {
    for (size_t l = 0; l < layers_.size(); ++l) layers_[l]->SetPattern(capture.patterns[l]);
    phase_ = Phase::kSparse;
  }
  if (!capture.distance.empty()) {
    ASSIGN_OR_RETURN(TransitionTest::Observation observation,
                     transition_test_.Observe(capture.distance));
    capture.change_percent = std::move(observation.change_percent);
    previous_distance_ = capture.distance;
  }
  captures_ = capture.index;
  previous_maps_ = std::exchange(taken_maps_, {});
  if (capture.transition || !group_.leads()) previous_maps_.clear();
  return capture;
}

absl::StatusOr<Capture> PhaseController::Judge(int64_t step) {
  Capture capture;
  capture.step = step;
  capture.index = captures_ + 1;
  if (!previous_maps_.empty()) {
    for (size_t l = 0; l < taken_maps_.size(); ++l) {
      capture.distance.push_back(Distance(taken_maps_[l], previous_maps_[l]));
    }
    TransitionTest transition_test = transition_test_;
    ASSIGN_OR_RETURN(const TransitionTest::Observation observation,
                     transition_test.Observe(capture.distance));
    capture.settled = observation.settled;
  }
  capture.transition = capture.settled || IsLastDenseCapture(step);
  if (capture.transition) RETURN_IF_ERROR(MakePatterns(taken_maps_, capture));
  return capture;
}

// What the changes and the next capture come from, and the verdict.
absl::Status PhaseController::TakeFromRankZero(Capture& capture) {
  const nlohmann::json told = nlohmann::json::parse(group_.Broadcast(nlohmann::json{
      {"step", capture.step},
      {"index", capture.index},
      {"distance", capture.distance},
      {"settled", capture.settled},
      {"transition", capture.transition},
      {"patterns", PatternsToJson(capture.patterns)},
      {"pattern_search_ms", capture.pattern_search_ms}}.dump()));
  if (group_.leads()) return absl::OkStatus();
  capture.step = told.at("step");
  capture.index = told.at("index");
  capture.distance = told.at("distance").get<std::vector<double>>();
  capture.settled = told.at("settled");
  capture.transition = told.at("transition");
  capture.pattern_search_ms = told.at("pattern_search_ms");
  ASSIGN_OR_RETURN(capture.patterns, PatternsFromJson(told.at("patterns")));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BlockPattern>> PhaseController::PatternsOf(
    const std::vector<at::Tensor>& maps) const {
  const at::Tensor mean = options_.shared_pattern ? at::stack(maps).mean(0) : at::Tensor();
  std::vector<BlockPattern> patterns;
  for (const at::Tensor& map : maps) {
    const at::Tensor host = (mean.defined() ? mean : map).cpu();
    ASSIGN_OR_RETURN(BlockPattern pattern, GeneratePattern(ViewOf(host), options_.generator));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

void PhaseController::Shuffle(uint64_t seed, std::vector<BlockPattern>& patterns) const {
  for (size_t layer = 0; layer < patterns.size(); ++layer) {
    Random random(DeriveSeed(seed, options_.shared_pattern ? 0 : layer));
    patterns[layer] = ShuffledPattern(patterns[layer], random);
  }
}

absl::Status PhaseController::MakePatterns(const std::vector<at::Tensor>& maps, Capture& capture) {
  const ProfileRange range(Region::kPatternSearch);
  const auto start = std::chrono::steady_clock::now();
  if (options_.patterns.empty()) {
    ASSIGN_OR_RETURN(capture.patterns, PatternsOf(maps));
  } else {
    capture.patterns = options_.patterns;
  }
  if (options_.shuffle_seed.has_value()) Shuffle(*options_.shuffle_seed, capture.patterns);
  capture.pattern_search_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  for (const at::Tensor& map : maps) {
    const at::Tensor host = map.cpu();
    ASSIGN_OR_RETURN(BlockScores pooled, AveragePool(ViewOf(host), options_.generator.block_size));
    capture.pooled_maps.push_back(std::move(pooled));
  }
  capture.maps = maps;
  return absl::OkStatus();
}

void PhaseController::SaveTo(TrainingState& state) const {
  state.PutValue(kPhase, std::string(PhaseName(phase_)));
  state.PutValue(kCaptures, captures_);
  state.PutValue(kDistance, previous_distance_);
  for (size_t l = 0; l < taken_maps_.size(); ++l) state.Put(MapName("taken", l), taken_maps_[l]);
  for (size_t l = 0; l < previous_maps_.size(); ++l) {
    state.Put(MapName("previous", l), previous_maps_[l]);
  }
}

absl::StatusOr<std::vector<at::Tensor>> PhaseController::RestoredMaps(const TrainingState& state,
                                                                      const char* which) const {
  std::vector<at::Tensor> maps;
  if (layers_.empty() || !state.Has(MapName(which, 0))) return maps;
  for (size_t l = 0; l < layers_.size(); ++l) {
    ASSIGN_OR_RETURN(const at::Tensor map, state.Get(MapName(which, l), at::kFloat));
    maps.push_back(map.to(layers_[l]->device()));
  }
  return maps;
}

absl::Status PhaseController::RestoreFrom(const TrainingState& state) {
  ASSIGN_OR_RETURN(const auto name, state.Value<std::string>(kPhase));
  const std::optional<Phase> phase = FindPhase(name);
  if (!phase.has_value() || (*phase == Phase::kSingle) != layers_.empty()) {
    return absl::DataLossError(absl::StrCat("the state's ", kPhase, " is \"", name, "\""));
  }
  phase_ = *phase;
  ASSIGN_OR_RETURN(captures_, state.Value<int64_t>(kCaptures));
  ASSIGN_OR_RETURN(taken_maps_, RestoredMaps(state, "taken"));
  ASSIGN_OR_RETURN(previous_maps_, RestoredMaps(state, "previous"));
  ASSIGN_OR_RETURN(previous_distance_, state.Value<std::vector<double>>(kDistance));
  if (previous_distance_.empty()) return absl::OkStatus();
  return transition_test_.Observe(previous_distance_).status();
}

}  // namespace spion
