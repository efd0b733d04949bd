#include "spion/ops/attention_map.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include "spion/ops/find_operator.h"
#include "spion/ops/stable_call.h"
#include "spion/platform/float32_math.h"
#include "spion/profiling/range.h"

namespace spion {

at::Tensor MeanAttentionMap(const at::Tensor& q, const at::Tensor& k,
                            const std::optional<at::Tensor>& padding) {
  static const auto op =
      FindOperator<at::Tensor(const at::Tensor&, const at::Tensor&,
                              const std::optional<at::Tensor>&, bool)>("spion::mean_attention_map");
  CheckPlain("mean attention map", "q", q);
  CheckPlain("mean attention map", "k", k);
  const ProfileRange range(Region::kAttentionMap);
  return CallStable([&] {
    return op.call(q.detach(), k.detach(), padding, LibTorchFloat32Math() == Float32Math::kExact);
  });
}

TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  library.impl("mean_attention_map", torch::autograd::autogradNotImplementedFallback());
}

}  // namespace spion
