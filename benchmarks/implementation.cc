#include "benchmarks/implementation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {

namespace {

Implementation SpionOf(const char* name, bool deterministic) {
  return {.name = name,
          .pruned = PrunedScore::kZero,
          .make = [=](const BlockPattern& pattern, c10::Device device) -> AttentionFunction {
            return [=, tensors = ToTensors(pattern, device)](
                       const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
              return BlockSparseAttention(q, k, v, tensors, std::nullopt, PrunedScore::kZero,
                                          Float32Math::kTf32, deterministic);
            };
          }};
}

}  // namespace

Implementation Spion() { return SpionOf("spion", true); }

Implementation SpionInAnyOrder() { return SpionOf("spion_any_order", false); }

Implementation MaterialisedDense() {
  return {.name = "dense",
          .pruned = std::nullopt,
          .materialises = true,
          .make = [](const BlockPattern&, c10::Device) -> AttentionFunction {
            return [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
              const double root = std::sqrt(static_cast<double>(q.size(3)));
              const at::Tensor scores = q.matmul(k.transpose(2, 3)) / root;
              return at::softmax(scores, -1).matmul(v);
            };
          }};
}

}  // namespace spion
