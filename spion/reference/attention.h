// The oracle: block-sparse attention and its gradients in double, by plain loops over queries and
// keys, written from the formulas alone. It shares no code with the kernels that it judges. Time
// and memory grow with the kept entries, so that long sequences can be checked too.
//
//   Input input = {...};
//   Output out = Forward(input);
//   Gradients gradients = Backward(input, grad_out);
//
// All tensors are [B, H, L, d] without gaps.
#ifndef SPION_REFERENCE_ATTENTION_H_
#define SPION_REFERENCE_ATTENTION_H_

#include <cstdint>
#include <vector>

#include "spion/kernels/block_sparse/problem.h"
#include "spion/pattern/block_pattern.h"

namespace spion::reference {

struct Input {
  int64_t batch, heads, length, head_dim;
  double scale;
  PrunedScore pruned;
  std::vector<BlockPattern> patterns;  // one, or one a head
  std::vector<int32_t> lengths;        // [B] or empty: keys at and after are padding
  std::vector<uint8_t> valid;          // [B, L] or empty: 0 means padding
  std::vector<double> q, k, v;
};

struct Output {
  std::vector<double> out;
  std::vector<double> log_sum_exp;  // [B, H, L]; +infinity where nothing is attended to
};

struct Gradients {
  std::vector<double> q, k, v;
};

/// The attention of spion/kernels/block_sparse/api.h.
Output Forward(const Input& input);

/// Gradients of sum(out * grad_out).
Gradients Backward(const Input& input, const std::vector<double>& grad_out);

/// The map of spion/kernels/attention_map/api.h, [L, L]; `patterns`, `pruned` and `v` don't matter.
std::vector<double> MeanAttentionMap(const Input& input);

}  // namespace spion::reference

#endif  // SPION_REFERENCE_ATTENTION_H_
