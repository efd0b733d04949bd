// MaterialisedSoftmax by CUDA.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
#include <optional>

#include "spion/kernels/materialised_softmax/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/materialised_softmax.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"

namespace spion {
namespace {

constexpr char kForwardOp[] = "MaterialisedSoftmax";
constexpr char kBackwardOp[] = "MaterialisedSoftmaxBackward";

void CheckScores(const char* op, const at::Tensor& scores) {
  TORCH_CHECK(scores.dim() == 4 && scores.scalar_type() == at::kBFloat16 && scores.is_contiguous(),
              op, " takes contiguous BFloat16 [batch, heads, queries, keys]; got ",
              scores.scalar_type(), " ", scores.sizes(), " with strides ", scores.strides(),
              "; call .contiguous()");
}

// Null without lengths.
const int32_t* LengthData(const char* op, const std::optional<at::Tensor>& lengths,
                          const at::Tensor& scores) {
  if (!lengths.has_value()) return nullptr;
  TORCH_CHECK(lengths->scalar_type() == at::kInt && lengths->is_contiguous() &&
                  lengths->numel() == scores.size(0) && lengths->device() == scores.device(),
              op, ": lengths must be contiguous Int [", scores.size(0), "] on ", scores.device(),
              "; got ", lengths->scalar_type(), " ", lengths->sizes(), " with strides ",
              lengths->strides(), " on ", lengths->device());
  return lengths->const_data_ptr<int32_t>();
}

class MaterialisedSoftmaxByCuda final : public MaterialisedSoftmax {
 public:
  MaterialisedProbabilities Forward(const at::Tensor& scores,
                                    const std::optional<at::Tensor>& lengths,
                                    double scale) const override {
    const c10::cuda::CUDAGuard guard(scores.device());
    CheckScores(kForwardOp, scores);
    const int32_t* length_data = LengthData(kForwardOp, lengths, scores);
    at::Tensor probabilities = at::empty(scores.sizes(), scores.options().dtype(at::kFloat));
    at::Tensor rounded = at::empty_like(scores);
    ThrowIfError(
        kForwardOp,
        cuda::Run(cuda::SoftmaxForward{.batch = scores.size(0),
                                       .rows = scores.size(1) * scores.size(2),
                                       .width = scores.size(3),
                                       .scale = static_cast<float>(scale),
                                       .lengths = length_data,
                                       .scores = Data<BFloat16>(scores),
                                       .probabilities = probabilities.mutable_data_ptr<float>(),
                                       .rounded = MutableData<BFloat16>(rounded)},
                  c10::cuda::getCurrentCUDAStream()));
    return {probabilities, rounded};
  }

  void Backward(const at::Tensor& grad, const at::Tensor& probabilities,
                const std::optional<at::Tensor>& lengths, double scale) const override {
    const c10::cuda::CUDAGuard guard(grad.device());
    CheckScores(kBackwardOp, grad);
    TORCH_CHECK(probabilities.scalar_type() == at::kFloat && probabilities.is_contiguous() &&
                    probabilities.sizes() == grad.sizes() &&
                    probabilities.device() == grad.device(),
                kBackwardOp, ": probabilities must be contiguous Float ", grad.sizes(), " on ",
                grad.device(), "; got ", probabilities.scalar_type(), " ", probabilities.sizes(),
                " on ", probabilities.device());
    ThrowIfError(
        kBackwardOp,
        cuda::Run(cuda::SoftmaxBackward{.batch = grad.size(0),
                                        .rows = grad.size(1) * grad.size(2),
                                        .width = grad.size(3),
                                        .scale = static_cast<float>(scale),
                                        .lengths = LengthData(kBackwardOp, lengths, grad),
                                        .probabilities = probabilities.const_data_ptr<float>(),
                                        .grad = MutableData<BFloat16>(grad)},
                  c10::cuda::getCurrentCUDAStream()));
  }
};

const MaterialisedSoftmaxByCuda kSoftmax;
const GpuSide<MaterialisedSoftmax> kGpuSide(kSoftmax);

}  // namespace
}  // namespace spion
