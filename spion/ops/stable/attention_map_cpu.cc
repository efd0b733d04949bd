// The operator of the mean attention map on the CPU.
#include <torch/csrc/stable/library.h>

#include "spion/ops/stable/attention_map_call.h"
#include "spion/ops/stable/parallel.h"

namespace spion {
namespace {

using torch::stable::Tensor;

Tensor Map(const Tensor& q, const Tensor& k, std::optional<Tensor> padding, bool exact_float32) {
  CheckCpuDtype(kMapOp, q);
  return RunAttentionMap<float>(q, k, padding, exact_float32,
                                [](const AttentionMapCall<float>& call) {
                                  return cpu::MeanAttentionMap(call, TorchParallelFor());
                                });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(spion, CPU, library) {
  library.impl("mean_attention_map", TORCH_BOX(&Map));
}

}  // namespace spion
