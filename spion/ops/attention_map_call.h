// From the attention map's tensors to the kernel's call, for any element type and device. Private
// to spion/ops.
#ifndef SPION_OPS_ATTENTION_MAP_CALL_H_
#define SPION_OPS_ATTENTION_MAP_CALL_H_

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <optional>

#include "spion/kernels/attention_map/api.h"
#include "spion/ops/tensor_arguments.h"
#include "spion/platform/float32_math.h"

namespace spion {

inline constexpr char kMapOp[] = "spion::mean_attention_map";

/// `kernel` takes an AttentionMapCall<T> and returns a Status.
template <typename T, class Kernel>
at::Tensor RunAttentionMap(const at::Tensor& q, const at::Tensor& k,
                           const std::optional<at::Tensor>& padding, Kernel&& kernel) {
  CheckHeadTensor(kMapOp, "q", q, q);
  CheckHeadTensor(kMapOp, "k", k, q);
  const at::TensorOptions floats = q.options().dtype(at::kFloat);
  at::Tensor map = at::empty({q.size(2), q.size(2)}, floats);
  at::Tensor row_statistics;
  if (!q.is_cpu()) row_statistics = at::empty({q.size(0), q.size(1), q.size(2), 2}, floats);
  ThrowIfError(
      kMapOp,
      kernel(AttentionMapCall<T>{
          .batch = q.size(0),
          .heads = q.size(1),
          .length = q.size(2),
          .head_dim = q.size(3),
          .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(q.size(3)))),
          .float32 = LibTorchFloat32Math(),
          .padding = AsKeyPadding(kMapOp, padding, q),
          .q = AsHeadTensor<const T>(q),
          .k = AsHeadTensor<const T>(k),
          .map = map.mutable_data_ptr<float>(),
          .row_statistics =
              row_statistics.defined() ? row_statistics.mutable_data_ptr<float>() : nullptr}));
  return map;
}

}  // namespace spion

#endif  // SPION_OPS_ATTENTION_MAP_CALL_H_
