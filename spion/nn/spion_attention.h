// SPION's attention in one layer: dense (every_block_attention.h) until it is given a block
// pattern, block-sparse from then on.
//
//   attention.RequestMap();                 // before the forward pass that captures
//   ... forward pass ...
//   at::Tensor map = attention.TakeMap();   // [L, L], the mean over batch and heads
//   attention.SetPattern(pattern);          // the sparse phase begins
//   attention.RequestPrunedShare();         // before a forward pass of the sparse phase
//   ... forward pass ...
//   attention.TakePrunedShare();            // how much of the softmax went to pruned entries
//
// When to capture and when to switch is the phase controller's business (spion/train).
// Source: SPION, arXiv 2309.12578.
#ifndef SPION_NN_SPION_ATTENTION_H_
#define SPION_NN_SPION_ATTENTION_H_

#include <optional>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/nn/attention.h"
#include "spion/nn/every_block_attention.h"
#include "spion/ops/pattern_tensors.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

class SpionAttention : public Attention {
 public:
  /// `layer` is its number in the model, for profiles.
  SpionAttention(int64_t layer, int64_t length, c10::Device device, PrunedScore pruned);

  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

  c10::Device device() const { return device_; }

  /// How pruned entries count in the sparse phase.
  PrunedScore pruned_score() const { return pruned_; }
  void set_pruned_score(PrunedScore pruned) { pruned_ = pruned; }

  /// Makes the next forward pass compute its attention map too. Dense phase only.
  void RequestMap();
  /// The map of that forward pass; throws c10::Error if there is none.
  at::Tensor TakeMap();

  /// Whether pruned entries take a share of the softmax: in the sparse phase, where they count as
  /// zeros.
  bool HasPrunedShare() const { return pattern_ && pruned_ == PrunedScore::kZero; }
  /// Makes the next forward pass compute that share too: as long as the pass's own attention, so
  /// for one batch now and then. Throws c10::Error where there is none.
  void RequestPrunedShare();
  /// The share, from 0 to 1, of that forward pass: the mean over its heads and valid rows. float64
  /// scalar on the device, of numbers rounded to the type of q. Throws c10::Error if there is none.
  at::Tensor TakePrunedShare();

  /// Throws c10::Error if the pattern's length is not this layer's.
  void SetPattern(const BlockPattern& pattern);
  /// The pattern of the sparse phase; nothing in the dense phase.
  const BlockPattern* pattern() const override { return pattern_ ? &*pattern_ : nullptr; }

 private:
  at::Tensor PrunedShare(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         const Lengths& lengths) const;

  int64_t layer_;
  int64_t length_;
  c10::Device device_;
  PrunedScore pruned_;
  std::optional<EveryBlockAttention> dense_;  // in the dense phase
  bool map_requested_ = false;
  at::Tensor map_;
  bool share_requested_ = false;
  at::Tensor pruned_share_;
  std::optional<BlockPattern> pattern_;
  PatternTensors pattern_tensors_;
};

}  // namespace spion

#endif  // SPION_NN_SPION_ATTENTION_H_
