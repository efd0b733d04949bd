// ClassifierKernels by CUDA.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "spion/kernels/classifier/api.h"
#include "spion/ops/classifier.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"

namespace spion {
namespace {

using at::Tensor;

constexpr char kHiddenWeight[] = "hidden weight";
constexpr char kClassWeight[] = "class weight";

Tensor Floats(const char* op, const char* name, const Tensor& tensor, at::IntArrayRef sizes,
              const Tensor& like) {
  return Operand(op, name, tensor, at::kFloat, sizes, like.device());
}

class ClassifierByCuda final : public ClassifierKernels {
 public:
  std::tuple<Tensor, Tensor> Classify(const Tensor& features, const WeightAndBias& hidden,
                                      const WeightAndBias& classes) const override {
    constexpr char kOp[] = "Classify";
    const c10::Device device = features.device();
    const c10::cuda::CUDAGuard guard(device);
    const cuda::ClassifierSizes sizes = SizesOf(features, hidden.weight, classes.weight);
    const Tensor rows = Floats(kOp, "features", features, features.sizes(), features);
    const float* weight1 =
        ParameterData(kOp, kHiddenWeight, hidden.weight, {sizes.hidden, sizes.features}, device);
    const float* bias1 = ParameterData(kOp, "hidden bias", hidden.bias, {sizes.hidden}, device);
    const float* weight2 =
        ParameterData(kOp, kClassWeight, classes.weight, {sizes.classes, sizes.hidden}, device);
    const float* bias2 = ParameterData(kOp, "class bias", classes.bias, {sizes.classes}, device);
    const Tensor active =
        at::empty({sizes.examples, sizes.hidden}, rows.options().dtype(at::kBFloat16));
    const Tensor logits = at::empty({sizes.examples, sizes.classes}, rows.options());
    ThrowIfError(kOp, cuda::Run(cuda::ClassifierForward{.sizes = sizes,
                                                        .features = Data<float>(rows),
                                                        .hidden_weight = weight1,
                                                        .hidden_bias = bias1,
                                                        .class_weight = weight2,
                                                        .class_bias = bias2,
                                                        .hidden = MutableData<BFloat16>(active),
                                                        .logits = MutableData<float>(logits)},
                                c10::cuda::getCurrentCUDAStream()));
    return {logits, active};
  }

  std::array<Tensor, 5> ClassifyBackward(const Tensor& grad_logits, const Tensor& features,
                                         const Tensor& hidden_weight, const Tensor& class_weight,
                                         const Tensor& hidden) const override {
    constexpr char kOp[] = "ClassifyBackward";
    const c10::Device device = features.device();
    const c10::cuda::CUDAGuard guard(device);
    const cuda::ClassifierSizes sizes = SizesOf(features, hidden_weight, class_weight);
    const Tensor grads =
        Floats(kOp, "grad_logits", grad_logits, {sizes.examples, sizes.classes}, features);
    const Tensor rows = Floats(kOp, "features", features, features.sizes(), features);
    const float* weight1 =
        ParameterData(kOp, kHiddenWeight, hidden_weight, {sizes.hidden, sizes.features}, device);
    const float* weight2 =
        ParameterData(kOp, kClassWeight, class_weight, {sizes.classes, sizes.hidden}, device);
    const Tensor active =
        Operand(kOp, "hidden", hidden, at::kBFloat16, {sizes.examples, sizes.hidden}, device);
    const Tensor grad_hidden = at::empty_like(active);
    const at::TensorOptions floats = rows.options();
    const std::array<Tensor, 5> gradients = {
        at::empty(rows.sizes(), floats), at::empty(hidden_weight.sizes(), floats),
        at::empty({sizes.hidden}, floats), at::empty(class_weight.sizes(), floats),
        at::empty({sizes.classes}, floats)};
    ThrowIfError(
        kOp,
        cuda::Run(cuda::ClassifierBackward{.sizes = sizes,
                                           .grad_logits = Data<float>(grads),
                                           .features = Data<float>(rows),
                                           .hidden_weight = weight1,
                                           .class_weight = weight2,
                                           .hidden = Data<BFloat16>(active),
                                           .grad_hidden = MutableData<BFloat16>(grad_hidden),
                                           .grad_features = MutableData<float>(gradients[0]),
                                           .grad_hidden_weight = MutableData<float>(gradients[1]),
                                           .grad_hidden_bias = MutableData<float>(gradients[2]),
                                           .grad_class_weight = MutableData<float>(gradients[3]),
                                           .grad_class_bias = MutableData<float>(gradients[4])},
                  c10::cuda::getCurrentCUDAStream()));
    return gradients;
  }

  std::tuple<Judgement, Tensor> JudgeLogits(const Tensor& logits,
                                            const Tensor& labels) const override {
    constexpr char kOp[] = "JudgeLogits";
    const c10::cuda::CUDAGuard guard(logits.device());
    const Tensor rows = Floats(kOp, "logits", logits, logits.sizes(), logits);
    const Tensor of_rows =
        Operand(kOp, "labels", labels, at::kLong, {logits.size(0)}, logits.device());
    const Judgement judgement{.loss = at::empty({}, rows.options()),
                              .right = at::empty({}, rows.options())};
    const Tensor gradient = at::empty(rows.sizes(), rows.options());
    ThrowIfError(kOp, cuda::Run(cuda::CrossEntropy{.examples = rows.size(0),
                                                   .classes = rows.size(1),
                                                   .logits = Data<float>(rows),
                                                   .labels = Data<int64_t>(of_rows),
                                                   .loss = MutableData<float>(judgement.loss),
                                                   .right = MutableData<float>(judgement.right),
                                                   .grad_logits = MutableData<float>(gradient)},
                                c10::cuda::getCurrentCUDAStream()));
    return {judgement, gradient};
  }

 private:
  static cuda::ClassifierSizes SizesOf(const Tensor& features, const Tensor& hidden_weight,
                                       const Tensor& class_weight) {
    return {.examples = features.size(0),
            .features = features.size(1),
            .hidden = hidden_weight.size(0),
            .classes = class_weight.size(0)};
  }
};

const ClassifierByCuda kClassifier;
const GpuSide<ClassifierKernels> kGpuSide(kClassifier);

}  // namespace
}  // namespace spion
