// The three phases: when to capture attention maps, when they have settled, and the switch of every
// layer to the pattern made from its own map.
//
//   PhaseController phases(spion_layers, options);
//   for (int64_t step = 1; step <= steps; ++step) {
//     phases.BeforeForward(step);
//     ... at a capture step a forward pass of its own: the layers compute their maps ...
//     phases.TakeMaps(step);
//     ... the step ...
//     ASSIGN_OR_RETURN(std::optional<Capture> capture, phases.AfterStep(step));
//   }
//
// Source: SPION, arXiv 2309.12578. The distance is between neighbouring captures, as the paper
// says (the reference compares the third map with the first).
#ifndef SPION_TRAIN_PHASE_CONTROLLER_H_
#define SPION_TRAIN_PHASE_CONTROLLER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/collective/group.h"
#include "spion/nn/spion_attention.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/block_scores.h"
#include "spion/pattern/generator.h"
#include "spion/pattern/transition.h"
#include "spion/train/phase.h"
#include "spion/train/training_state.h"

namespace spion {

struct PhaseOptions {
  int64_t capture_interval = 0;
  int transition_limit_percent = 0;
  int64_t dense_step_limit = 0;  // 0: none
  /// One pattern for all layers, made from the mean of their maps.
  bool shared_pattern = false;
  /// In place of those made from the maps, one a layer; empty: none.
  std::vector<BlockPattern> patterns = {};
  /// The seed of blocks at random places in place of those found (pattern/shuffled_pattern.h): for
  /// each layer others, for a shared pattern the same.
  std::optional<uint64_t> shuffle_seed = {};
  GeneratorOptions generator;
};

/// What one capture showed.
struct Capture {
  int64_t step = 0;
  int64_t index = 0;                   // 1 for the first
  std::vector<double> distance;        // D_l, from the second capture on
  std::vector<double> change_percent;  // from the third on
  bool settled = false;
  /// The dense phase ended here, by the transition test or (settled = false) by the step limit.
  bool transition = false;
  /// At the transition: one pattern a layer.
  std::vector<BlockPattern> patterns;
  /// At the transition: the maps that they were made from, averaged over each block; one a layer.
  std::vector<BlockScores> pooled_maps;
  /// At the transition: those maps, [L, L] each.
  std::vector<at::Tensor> maps;
  double pattern_search_ms = 0;
};

class PhaseController {
 public:
  /// The layers and the group outlive the controller. Without layers there is a single phase. Of
  /// several ranks each has its part of the batch: the maps are the mean of theirs, rank 0 judges
  /// them, and all take its patterns.
  PhaseController(std::vector<SpionAttention*> layers, const PhaseOptions& options,
                  Group& group = AloneGroup());

  /// Whether the layers' maps are looked at in this step.
  bool IsCaptureStep(int64_t step) const;

  /// Asks the layers for their maps if `step`, counted from 1, is a capture step.
  void BeforeForward(int64_t step);

  /// Takes the maps of the forward pass before the step from the layers, if it is a capture step.
  /// Throws what the group throws.
  void TakeMaps(int64_t step);

  /// On a capture step: tests the maps that were taken, and at the transition gives every layer its
  /// pattern. Nothing on other steps. Ranks other than 0 are not told the maps. Errors: those of
  /// the generator and the transition test, on rank 0. Throws what the group throws.
  absl::StatusOr<std::optional<Capture>> AfterStep(int64_t step);

  Phase phase() const { return phase_; }
  /// Names what the layers do: another number from the transition on.
  int64_t generation() const { return phase_ == Phase::kSparse ? 1 : 0; }

  /// All that it knows, maps that were taken and not yet tested included; of the sparse phase the
  /// patterns are the layers' and stay theirs.
  void SaveTo(TrainingState& state) const;
  absl::Status RestoreFrom(const TrainingState& state);

 private:
  bool IsLastDenseCapture(int64_t step) const;
  absl::StatusOr<std::vector<at::Tensor>> RestoredMaps(const TrainingState& state,
                                                       const char* which) const;
  absl::StatusOr<Capture> Judge(int64_t step);
  absl::Status TakeFromRankZero(Capture& capture);
  absl::StatusOr<std::vector<BlockPattern>> PatternsOf(const std::vector<at::Tensor>& maps) const;
  void Shuffle(uint64_t seed, std::vector<BlockPattern>& patterns) const;
  absl::Status MakePatterns(const std::vector<at::Tensor>& maps, Capture& capture);

  std::vector<SpionAttention*> layers_;
  PhaseOptions options_;
  Group& group_;
  TransitionTest transition_test_;
  Phase phase_;
  int64_t captures_ = 0;
  std::vector<at::Tensor> taken_maps_;     // of this capture step, until AfterStep
  std::vector<at::Tensor> previous_maps_;  // of the capture before; rank 0's alone
  std::vector<double> previous_distance_;  // the transition test's
};

}  // namespace spion

#endif  // SPION_TRAIN_PHASE_CONTROLLER_H_
