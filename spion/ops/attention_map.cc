#include "spion/ops/attention_map.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include "spion/ops/attention_map_call.h"
#include "spion/ops/parallel.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

at::Tensor MapCpu(const at::Tensor& q, const at::Tensor& k,
                  const std::optional<at::Tensor>& padding) {
  TORCH_CHECK(q.scalar_type() == at::kFloat, kMapOp, " on the CPU takes float32; got ",
              q.scalar_type(), "; call .to(at::kFloat)");
  return RunAttentionMap<float>(q, k, padding, [](const AttentionMapCall<float>& call) {
    return cpu::MeanAttentionMap(call, TorchParallelFor());
  });
}

}  // namespace

at::Tensor MeanAttentionMap(const at::Tensor& q, const at::Tensor& k,
                            const std::optional<at::Tensor>& padding) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow(kMapOp, "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&,
                                               const std::optional<at::Tensor>&)>();
  const ProfileRange range(Region::kAttentionMap);
  return op.call(q.detach(), k.detach(), padding);
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def("mean_attention_map(Tensor q, Tensor k, Tensor? padding) -> Tensor");
}

TORCH_LIBRARY_IMPL(spion, CPU, library) { library.impl("mean_attention_map", MapCpu); }

TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  library.impl("mean_attention_map", torch::autograd::autogradNotImplementedFallback());
}

}  // namespace spion
