#include "spion/ops/materialised_attention.h"

#include <ATen/ops/matmul.h>

#include <cmath>

#include "spion/kernels/materialised_softmax/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/materialised_softmax.h"
#include "spion/ops/once_differentiable.h"
#include "spion/profiling/range.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Lengths = std::optional<at::Tensor>;

double Scale(const at::Tensor& q) { return 1 / std::sqrt(static_cast<double>(q.size(3))); }

class MaterialisedFunction : public OnceDifferentiable<MaterialisedFunction> {
 public:
  static constexpr char kName[] = "MaterialisedAttention";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const Lengths& lengths) {
    TORCH_CHECK(CanMaterialise(q),
                "MaterialisedAttention takes BFloat16 [B, H, L, d] on a GPU, L a multiple of ",
                cuda::kScoresStep, " up to ", cuda::kMaxScores, "; got ", q.scalar_type(), " ",
                q.sizes(), " on ", q.device());
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const at::Tensor scores =
        InRange(Region::kScores, [&] { return at::matmul(q, k.transpose(2, 3)); });
    const auto [probabilities, rounded] = InRange(Region::kSoftmax, [&] {
      return GpuSide<MaterialisedSoftmax>::Get().Forward(scores, lengths, Scale(q));
    });
    context->save_for_backward({q, k, v, probabilities, rounded, lengths.value_or(at::Tensor())});
    const ProfileRange range(Region::kWeightedSum);
    return at::matmul(rounded, v);
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& q = saved[0];
    const at::Tensor& k = saved[1];
    const Lengths lengths = saved[5].defined() ? Lengths(saved[5]) : std::nullopt;
    const at::Tensor grad_v = InRange(
        Region::kWeightedSum, [&] { return at::matmul(saved[4].transpose(2, 3), grads[0]); });
    const at::Tensor grad_scores = InRange(
        Region::kWeightedSum, [&] { return at::matmul(grads[0], saved[2].transpose(2, 3)); });
    InRange(Region::kSoftmax, [&] {
      GpuSide<MaterialisedSoftmax>::Get().Backward(grad_scores, saved[3], lengths, Scale(q));
    });
    const ProfileRange range(Region::kScores);
    return {at::matmul(grad_scores, k), at::matmul(grad_scores.transpose(2, 3), q), grad_v,
            at::Tensor()};
  }
};

}  // namespace

bool CanMaterialise(const at::Tensor& q) {
  return q.is_cuda() && q.scalar_type() == at::kBFloat16 && q.dim() == 4 &&
         cuda::TakesScoreWidth(q.size(2)) && q.size(3) > 0;
}

at::Tensor MaterialisedAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const std::optional<at::Tensor>& lengths) {
  return MaterialisedFunction::apply(q, k, v, lengths);
}

}  // namespace spion
