// The operator of the mean attention map on a GPU.
#include <torch/csrc/stable/library.h>

#include "spion/ops/stable/attention_map_call.h"
#include "spion/ops/stable/cuda_device.h"

namespace spion {
namespace {

using torch::stable::Tensor;

Tensor Map(const Tensor& q, const Tensor& k, std::optional<Tensor> padding, bool exact_float32) {
  return RunOnGpu(kMapOp, q, [&](auto element) {
    using T = decltype(element);
    return RunAttentionMap<T>(q, k, padding, exact_float32, [&](const AttentionMapCall<T>& call) {
      return cuda::MeanAttentionMap(call, CurrentStream(q));
    });
  });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(spion, CUDA, library) {
  library.impl("mean_attention_map", TORCH_BOX(&Map));
}

}  // namespace spion
