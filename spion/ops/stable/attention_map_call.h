// From the attention map's tensors to the kernel's call, for any element type and device. Private
// to spion/ops/stable.
#ifndef SPION_OPS_STABLE_ATTENTION_MAP_CALL_H_
#define SPION_OPS_STABLE_ATTENTION_MAP_CALL_H_

#include <torch/csrc/stable/tensor.h>

#include <cmath>
#include <optional>

#include "spion/kernels/attention_map/api.h"
#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/refuse.h"
#include "spion/ops/stable/tensor_arguments.h"

namespace spion {

inline constexpr char kMapOp[] = "spion::mean_attention_map";

/// `kernel` takes an AttentionMapCall<T> and returns a Status.
template <typename T, class Kernel>
torch::stable::Tensor RunAttentionMap(const torch::stable::Tensor& q,
                                      const torch::stable::Tensor& k,
                                      const std::optional<torch::stable::Tensor>& padding,
                                      bool exact_float32, Kernel&& kernel) {
  CheckHeadTensor(kMapOp, "q", q, q);
  CheckHeadTensor(kMapOp, "k", k, q);
  const torch::stable::Tensor map = AllocateFloats(q, {q.size(2), q.size(2)});
  std::optional<torch::stable::Tensor> row_statistics;
  if (!q.is_cpu()) row_statistics = AllocateFloats(q, {q.size(0), q.size(1), q.size(2), 2});
  CheckOk(kMapOp,
          kernel(AttentionMapCall<T>{
              .batch = q.size(0),
              .heads = q.size(1),
              .length = q.size(2),
              .head_dim = q.size(3),
              .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(q.size(3)))),
              .float32 = exact_float32 ? Float32Math::kExact : Float32Math::kTf32,
              .padding = AsKeyPadding(kMapOp, padding, q),
              .q = AsHeadTensor<const T>(q),
              .k = AsHeadTensor<const T>(k),
              .map = static_cast<float*>(map.mutable_data_ptr()),
              .row_statistics = row_statistics.has_value()
                                    ? static_cast<float*>(row_statistics->mutable_data_ptr())
                                    : nullptr}));
  return map;
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_ATTENTION_MAP_CALL_H_
