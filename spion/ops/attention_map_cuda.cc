// The operator of attention_map.h on a GPU.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "spion/kernels/attention_map/api.h"
#include "spion/ops/attention_map_call.h"
#include "spion/ops/cuda_dispatch.h"

namespace spion {
namespace {

at::Tensor Map(const at::Tensor& q, const at::Tensor& k, const std::optional<at::Tensor>& padding) {
  const c10::cuda::CUDAGuard guard(q.device());
  return DispatchElement(kMapOp, q, [&](auto element) {
    using T = decltype(element);
    return RunAttentionMap<T>(q, k, padding, [](const AttentionMapCall<T>& call) {
      return cuda::MeanAttentionMap(call, c10::cuda::getCurrentCUDAStream());
    });
  });
}

}  // namespace

TORCH_LIBRARY_IMPL(spion, CUDA, library) { library.impl("mean_attention_map", Map); }

}  // namespace spion
