#include "spion/train/phase_controller.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>

#include <chrono>
#include <utility>

#include "spion/base/status.h"
#include "spion/pattern/block_pooling.h"
#include "spion/profiling/range.h"

namespace spion {

absl::string_view PhaseName(Phase phase) { return phase == Phase::kDense ? "dense" : "sparse"; }

PhaseController::PhaseController(std::vector<SpionAttention*> layers, const PhaseOptions& options)
    : layers_(std::move(layers)),
      options_(options),
      transition_test_(static_cast<int>(layers_.size()), options.transition_limit_percent) {}

bool PhaseController::IsCaptureStep(int64_t step) const {
  return phase_ == Phase::kDense && !layers_.empty() && step % options_.capture_interval == 0;
}

bool PhaseController::IsLastDenseCapture(int64_t step) const {
  return options_.dense_step_limit > 0 &&
         step + options_.capture_interval > options_.dense_step_limit;
}

void PhaseController::BeforeForward(int64_t step) {
  if (!IsCaptureStep(step)) return;
  for (SpionAttention* layer : layers_) layer->RequestMap();
}

absl::StatusOr<std::optional<Capture>> PhaseController::AfterStep(int64_t step) {
  if (!IsCaptureStep(step)) return std::nullopt;
  const ProfileRange range(Region::kCapture);
  Capture capture;
  capture.step = step;
  capture.index = ++captures_;
  std::vector<at::Tensor> maps;
  maps.reserve(layers_.size());
  for (SpionAttention* layer : layers_) maps.push_back(layer->TakeMap());

  if (!previous_maps_.empty()) {
    for (size_t l = 0; l < maps.size(); ++l) {
      // In double: the sum runs over L * L squares.
      capture.distance.push_back(
          at::linalg_vector_norm(maps[l] - previous_maps_[l], 2, std::nullopt, false, at::kDouble)
              .item<double>());
    }
    ASSIGN_OR_RETURN(TransitionTest::Observation observation,
                     transition_test_.Observe(capture.distance));
    capture.change_percent = std::move(observation.change_percent);
    capture.settled = observation.settled;
  }
  if (capture.settled || IsLastDenseCapture(step)) {
    RETURN_IF_ERROR(MakePatterns(maps, capture));
    phase_ = Phase::kSparse;
    capture.transition = true;
    previous_maps_.clear();
  } else {
    previous_maps_ = std::move(maps);
  }
  return capture;
}

absl::Status PhaseController::MakePatterns(const std::vector<at::Tensor>& maps, Capture& capture) {
  const ProfileRange range(Region::kPatternSearch);
  const auto start = std::chrono::steady_clock::now();
  const at::Tensor mean = options_.shared_pattern ? at::stack(maps).mean(0) : at::Tensor();
  for (const at::Tensor& map : maps) {
    const at::Tensor host = (mean.defined() ? mean : map).cpu();
    const auto size = static_cast<size_t>(host.numel());
    const MapView view{absl::MakeConstSpan(host.const_data_ptr<float>(), size), host.size(0)};
    ASSIGN_OR_RETURN(BlockPattern pattern, GeneratePattern(view, options_.generator));
    capture.patterns.push_back(std::move(pattern));
  }
  for (size_t l = 0; l < layers_.size(); ++l) layers_[l]->SetPattern(capture.patterns[l]);
  capture.pattern_search_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  for (const at::Tensor& map : maps) {
    const at::Tensor host = map.cpu();
    const auto size = static_cast<size_t>(host.numel());
    ASSIGN_OR_RETURN(
        BlockScores pooled,
        AveragePool({absl::MakeConstSpan(host.const_data_ptr<float>(), size), host.size(0)},
                    options_.generator.block_size));
    capture.pooled_maps.push_back(std::move(pooled));
  }
  return absl::OkStatus();
}

}  // namespace spion
