// Attention: what every variant implements, SPION and the baselines alike. The encoder around it is
// the same for all; docs/add_an_attention.md walks through adding one.
#ifndef SPION_NN_ATTENTION_H_
#define SPION_NN_ATTENTION_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <optional>

#include "spion/nn/parameters.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// Int32 [B]: keys at and after lengths[b] are padding. Nothing for tasks without padding.
using Lengths = std::optional<at::Tensor>;

class Attention {
 public:
  virtual ~Attention() = default;

  /// q, k, v: [B, H, L, d] views into one fused projection (unit stride along d).
  /// Returns [B, H, L, d], best laid out in memory as [B, L, H, d].
  virtual at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const Lengths& lengths) = 0;

  /// The block pattern that Forward computes within as things stand; null: there is none.
  virtual const BlockPattern* pattern() const { return nullptr; }
};

/// What an attention may need to know when it is made.
struct AttentionContext {
  int64_t layer;
  int64_t length;    // L
  int64_t heads;     // H
  int64_t head_dim;  // d
  /// Where it computes.
  c10::Device device;
  /// For variants with parameters of their own.
  Parameters::Scope parameters;
};

using AttentionFactory = std::function<std::unique_ptr<Attention>(const AttentionContext&)>;

}  // namespace spion

#endif  // SPION_NN_ATTENTION_H_
