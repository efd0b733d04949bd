#include "spion/ops/attention_map.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <cmath>

#include "spion/kernels/attention_map/api.h"
#include "spion/ops/parallel.h"
#include "spion/ops/tensor_arguments.h"

namespace spion {
namespace {

constexpr char kOp[] = "spion::mean_attention_map";

at::Tensor MapCpu(const at::Tensor& q, const at::Tensor& k,
                  const std::optional<at::Tensor>& padding) {
  CheckHeadTensor(kOp, "q", q, q);
  CheckHeadTensor(kOp, "k", k, q);
  TORCH_CHECK(q.scalar_type() == at::kFloat, kOp, " on the CPU takes float32; got ",
              q.scalar_type(), "; call .to(at::kFloat)");
  at::Tensor map = at::empty({q.size(2), q.size(2)}, q.options());
  ThrowIfError(kOp,
               cpu::MeanAttentionMap(
                   {.batch = q.size(0),
                    .heads = q.size(1),
                    .length = q.size(2),
                    .head_dim = q.size(3),
                    .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(q.size(3)))),
                    .padding = AsKeyPadding(kOp, padding, q),
                    .q = AsHeadTensor<const float>(q),
                    .k = AsHeadTensor<const float>(k),
                    .map = map.mutable_data_ptr<float>()},
                   TorchParallelFor()));
  return map;
}

}  // namespace

at::Tensor MeanAttentionMap(const at::Tensor& q, const at::Tensor& k,
                            const std::optional<at::Tensor>& padding) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow(kOp, "")
                             .typed<at::Tensor(const at::Tensor&, const at::Tensor&,
                                               const std::optional<at::Tensor>&)>();
  return op.call(q.detach(), k.detach(), padding);
}

TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def("mean_attention_map(Tensor q, Tensor k, Tensor? padding) -> Tensor");
}

TORCH_LIBRARY_IMPL(spion, CPU, library) { library.impl("mean_attention_map", MapCpu); }

}  // namespace spion
