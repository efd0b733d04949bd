// Reformer's attention: queries that are also the keys, hashed into buckets, sorted, and attended
// to within chunks. Time and memory grow with L.
//
// In each round the sequence is sorted by (bucket, position) and cut into chunks; a query sees its
// chunk and the one before it (the first chunk sees the last one). Its keys are its own kind's
// vectors divided by their norm, so scores are q_i . q_j / |q_j|. The rounds, combined by their
// log-sum-exp, are one softmax over all keys that any round shows: a key that several rounds show
// counts once. A query sees itself only when it sees nothing else. Padding is sorted behind all
// buckets and never seen.
//
// `k` is not used: the method shares the projection of q. Rotations are drawn anew in every pass,
// from LibTorch's generator (at::manual_seed), as dropout's masks are. Products are in the inputs'
// type, sums over keys in float32 at least; gradients are deterministic.
// Source: Kitaev et al., "Reformer", arXiv 2001.04451.
#ifndef BASELINES_REFORMER_REFORMER_ATTENTION_H_
#define BASELINES_REFORMER_REFORMER_ATTENTION_H_

#include <cstdint>

#include "spion/nn/attention.h"

namespace spion {

struct ReformerOptions {
  int64_t rounds = 2;
  int64_t chunk = 64;
  /// Even. 0: two for each chunk.
  int64_t buckets = 0;
};

class ReformerAttention : public Attention {
 public:
  explicit ReformerAttention(const ReformerOptions& options = {}) : options_(options) {}

  /// Throws c10::Error if L is not a multiple of the chunk.
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override;

  /// The rotations that the next Forward of this generator state would draw: [H, d, rounds,
  /// buckets / 2].
  at::Tensor DrawRotations(const at::Tensor& q) const;

 private:
  ReformerOptions options_;
};

}  // namespace spion

#endif  // BASELINES_REFORMER_REFORMER_ATTENTION_H_
