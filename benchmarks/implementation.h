// The implementations of attention that are timed beside each other.
#ifndef BENCHMARKS_IMPLEMENTATION_H_
#define BENCHMARKS_IMPLEMENTATION_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/attention_problem.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

struct Implementation {
  std::string name;
  /// What it does with pruned blocks; nothing for dense attention, which keeps all.
  std::optional<PrunedScore> pruned;
  /// Whether it stores the L x L probabilities.
  bool materialises = false;
  /// Whether its function may throw c10::Error because it cannot do a shape or dtype.
  bool may_refuse = false;
  std::function<AttentionFunction(const BlockPattern&, c10::Device)> make;
};

/// SPION's block-sparse attention: "spion".
Implementation Spion();

/// The same without deterministic gradients: "spion_any_order".
Implementation SpionInAnyOrder();

/// Dense attention that stores its probabilities, from LibTorch's matrix product and softmax:
/// "dense".
Implementation MaterialisedDense();

/// LibTorch's scaled_dot_product_attention with the backend of its own choice: "sdpa".
Implementation Sdpa();

/// The same with one backend only: "sdpa_flash", "sdpa_mem_efficient", "sdpa_cudnn". They may
/// refuse, with LibTorch's reasons.
std::vector<Implementation> SdpaBackends();

}  // namespace spion

#endif  // BENCHMARKS_IMPLEMENTATION_H_
