// EncoderLayerKernels by CUDA.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
#include <tuple>
#include <vector>

#include "spion/kernels/token_rows/encoder_layer.h"
#include "spion/ops/dropout.h"
#include "spion/ops/encoder_layer_kernels.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"
#include "spion/ops/token_rows_arguments.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using at::Tensor;

constexpr int64_t kWidth = cuda::kLayerWidth;
constexpr int64_t kHidden = cuda::kLayerHidden;

/// x's sizes with another last one.
std::vector<int64_t> SizesWith(const Tensor& x, int64_t width) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.back() = width;
  return sizes;
}

/// Weight and bias of each of a call's layers.
class Parameters {
 public:
  Parameters(const char* op, at::TensorList tensors, size_t layers, c10::Device device)
      : op_(op), tensors_(tensors), device_(device) {
    TORCH_CHECK(tensors.size() == 2 * layers, op, " takes ", 2 * layers, " parameters; got ",
                tensors.size());
  }

  cuda::LinearParameters Linear(size_t layer, int64_t out, int64_t in) const {
    return {Take(2 * layer, "weight", {out, in}), Take(2 * layer + 1, "bias", {out})};
  }
  cuda::LayerNormParameters Norm(size_t layer) const {
    return {static_cast<float>(kNormEpsilon), Take(2 * layer, "weight", {kWidth}),
            Take(2 * layer + 1, "bias", {kWidth})};
  }

 private:
  const float* Take(size_t i, const char* name, at::IntArrayRef sizes) const {
    return ParameterData(op_, name, tensors_[i], sizes, device_);
  }

  const char* op_;
  at::TensorList tensors_;
  c10::Device device_;
};

Tensor ResidualStream(const char* op, const char* name, const Tensor& x) {
  const RowSizes sizes = SizesOf(op, name, x);
  TORCH_CHECK(sizes.width == kWidth, op, ": ", name, " must be [..., ", kWidth, "]; got ",
              x.sizes());
  return Operand(op, name, x, at::kFloat, x.sizes(), x.device());
}

/// What of the backward calls' sums over tokens is written and given back.
struct Sums {
  Sums(int64_t floats, const at::TensorOptions& options)
      : sums(at::empty({floats}, options)),
        scratch(at::empty({cuda::LayerScratchFloats(floats)}, options)) {}

  Tensor sums;
  Tensor scratch;
};

cuda::PostAttentionParameters PostParameters(const Parameters& parameters) {
  return {.output = parameters.Linear(0, kWidth, kWidth),
          .norm = parameters.Norm(1),
          .hidden = parameters.Linear(2, kHidden, kWidth),
          .mlp = parameters.Linear(3, kWidth, kHidden)};
}

// Of a call on x; its rows may be a slice of a batch's, as each has draws of its own.
int64_t DrawsOf(const Tensor& x) { return x.numel() / kWidth * cuda::kLayerDraws; }

class EncoderLayerByCuda final : public EncoderLayerKernels {
 public:
  bool AreOn(c10::Device device) const override {
    const c10::cuda::CUDAGuard guard(device);
    return cuda::HasEncoderLayerKernels();
  }

  Tensor PreAttention(const Tensor& x, at::TensorList tensors) const override {
    constexpr char kOp[] = "PreAttention";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor rows = ResidualStream(kOp, "x", x);
    const Parameters parameters(kOp, tensors, 2, x.device());
    const Tensor out = at::empty(SizesWith(x, cuda::kLayerQkv), x.options().dtype(at::kBFloat16));
    ThrowIfError(
        kOp,
        cuda::Run(cuda::PreAttentionForward{.rows = x.numel() / kWidth,
                                            .x = Data<float>(rows),
                                            .norm = parameters.Norm(0),
                                            .qkv = parameters.Linear(1, cuda::kLayerQkv, kWidth),
                                            .out = MutableData<BFloat16>(out)},
                  c10::cuda::getCurrentCUDAStream()));
    return out;
  }

  std::tuple<Tensor, Tensor> PreAttentionBackward(const Tensor& grad_out, const Tensor& grad_beside,
                                                  const Tensor& x,
                                                  at::TensorList tensors) const override {
    constexpr char kOp[] = "PreAttentionBackward";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor rows = ResidualStream(kOp, "x", x);
    const Tensor grads = Operand(kOp, "grad_out", grad_out, at::kBFloat16,
                                 SizesWith(x, cuda::kLayerQkv), x.device());
    Tensor beside;
    if (grad_beside.defined()) {
      beside = Operand(kOp, "grad_beside", grad_beside, at::kFloat, x.sizes(), x.device());
    }
    const Parameters parameters(kOp, tensors, 2, x.device());
    const Tensor grad_x = at::empty(x.sizes(), x.options());
    const Sums all(cuda::PreAttentionGradients::kFloats, x.options());
    ThrowIfError(kOp, cuda::Run(
                          cuda::PreAttentionBackward{
                              .rows = x.numel() / kWidth,
                              .grad_out = Data<BFloat16>(grads),
                              .grad_beside = beside.defined() ? Data<float>(beside) : nullptr,
                              .x = Data<float>(rows),
                              .norm = parameters.Norm(0),
                              .qkv = parameters.Linear(1, cuda::kLayerQkv, kWidth),
                              .grad_x = MutableData<float>(grad_x),
                              .grad_parameters = MutableData<float>(all.sums),
                              .scratch = MutableData<float>(all.scratch)},
                          c10::cuda::getCurrentCUDAStream()));
    return {grad_x, all.sums};
  }

  std::tuple<Tensor, Tensor> PostAttention(const Tensor& x, const Tensor& heads,
                                           at::TensorList tensors,
                                           const Dropout& dropout) const override {
    constexpr char kOp[] = "PostAttention";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor rows = ResidualStream(kOp, "x", x);
    const Tensor head_rows = Operand(kOp, "heads", heads, at::kBFloat16, x.sizes(), x.device());
    const Parameters parameters(kOp, tensors, 4, x.device());
    const Tensor out = at::empty(x.sizes(), x.options());
    Tensor kept;
    if (dropout.probability > 0) {
      kept = at::empty({cuda::KeptLayerWords(x.numel() / kWidth)}, x.options().dtype(at::kInt));
    }
    ThrowIfError(kOp, cuda::Run(
                          cuda::PostAttentionForward{
                              .rows = x.numel() / kWidth,
                              .x = Data<float>(rows),
                              .heads = Data<BFloat16>(head_rows),
                              .parameters = PostParameters(parameters),
                              .dropout = ForwardDropout(dropout, DrawsOf(x)),
                              .out = MutableData<float>(out),
                              .kept = kept.defined() ? MutableData<uint32_t>(kept) : nullptr},
                          c10::cuda::getCurrentCUDAStream()));
    return {out, kept};
  }

  std::tuple<Tensor, Tensor, Tensor> PostAttentionBackward(const Tensor& grad_out, const Tensor& x,
                                                           const Tensor& heads,
                                                           at::TensorList tensors,
                                                           double probability,
                                                           const Tensor& kept) const override {
    constexpr char kOp[] = "PostAttentionBackward";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor rows = ResidualStream(kOp, "x", x);
    const Tensor grads = Operand(kOp, "grad_out", grad_out, at::kFloat, x.sizes(), x.device());
    const Tensor head_rows = Operand(kOp, "heads", heads, at::kBFloat16, x.sizes(), x.device());
    const Parameters parameters(kOp, tensors, 4, x.device());
    Tensor kept_words;
    if (probability > 0) {
      kept_words = Operand(kOp, "kept", kept, at::kInt, {cuda::KeptLayerWords(x.numel() / kWidth)},
                           x.device());
    }
    const Tensor grad_x = at::empty(x.sizes(), x.options());
    const Tensor grad_heads = at::empty(x.sizes(), heads.options());
    const Sums all(cuda::PostAttentionGradients::kFloats, x.options());
    ThrowIfError(kOp, cuda::Run(
                          cuda::PostAttentionBackward{
                              .rows = x.numel() / kWidth,
                              .grad_out = Data<float>(grads),
                              .x = Data<float>(rows),
                              .heads = Data<BFloat16>(head_rows),
                              .parameters = PostParameters(parameters),
                              .probability = static_cast<float>(probability),
                              .kept = kept_words.defined() ? Data<uint32_t>(kept_words) : nullptr,
                              .grad_x = MutableData<float>(grad_x),
                              .grad_heads = MutableData<BFloat16>(grad_heads),
                              .grad_parameters = MutableData<float>(all.sums),
                              .scratch = MutableData<float>(all.scratch)},
                          c10::cuda::getCurrentCUDAStream()));
    return {grad_x, grad_heads, all.sums};
  }
};

const EncoderLayerByCuda kEncoderLayer;
const GpuSide<EncoderLayerKernels> kGpuSide(kEncoderLayer);

}  // namespace
}  // namespace spion
