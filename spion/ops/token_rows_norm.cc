// NormRows, AddNorm, EmbedNorm and Embed of token_rows.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/zeros.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/once_differentiable.h"
#include "spion/ops/sum_of_rows.h"
#include "spion/ops/token_rows.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const NormKernels& Norms() { return GpuSide<NormKernels>::Get(); }
const EmbedKernels& Embeddings() { return GpuSide<EmbedKernels>::Get(); }

// Whether the kernels take so many float32 rows on x's device and what comes of them.
bool TakesRows(int64_t rows, const at::Tensor& x, const at::Tensor& weight, at::ScalarType dtype) {
  return x.is_cuda() && rows > 0 && rows <= cuda::kMaxRows && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && cuda::TakesNormWidth(weight.numel()) &&
         TakesType(dtype);
}
bool TakesRows(const at::Tensor& x, const at::Tensor& weight, at::ScalarType dtype) {
  const int64_t width = x.dim() > 0 ? x.size(-1) : 0;
  return width > 0 && TakesRows(x.numel() / width, x, weight, dtype);
}

// `ids`: what the embedding looked up, or undefined.
void SaveNorm(AutogradContext* context, const at::Tensor& sum, const at::Tensor& weight,
              const NormedRows& norm, const Dropout& dropout, const at::Tensor& ids = {}) {
  context->save_for_backward({sum, weight, norm.mean, norm.inverse_deviation, ids});
  context->saved_data["dtype"] = norm.normed.scalar_type();
  Save(context, dropout);
  context->set_materialize_grads(false);  // zeros would be another pass over memory
}

// From the gradients of the sum and of the normalised rows, of which one may be undefined.
AddNormGradients NormGradients(AutogradContext* context, const at::Tensor& grad_sum,
                               const at::Tensor& grad_normed, bool of_x,
                               std::optional<at::ScalarType> branch) {
  const variable_list saved = context->get_saved_variables();
  const at::Tensor& sum = saved[0];
  // One row for all: the kernel then reads no more.
  const auto zeros = [&] {
    const at::ScalarType dtype = context->saved_data["dtype"].toScalarType();
    return at::zeros({1}, sum.options().dtype(dtype)).expand(sum.sizes());
  };
  return Norms().AddNormBackward(grad_sum, grad_normed.defined() ? grad_normed : zeros(), sum,
                                 saved[1], saved[2], saved[3], SavedDropout(context), of_x, branch,
                                 /*lengths=*/at::Tensor());
}

class LayerNormFunction : public OnceDifferentiable<LayerNormFunction> {
 public:
  static constexpr char kName[] = "NormRows";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const NormedRows norm = Norms().NormRows(x, weight, bias, dtype);
    SaveNorm(context, x, weight, norm, Dropout());
    return norm.normed;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const auto gradients =
        NormGradients(context, at::Tensor(), grads[0], /*of_x=*/true, std::nullopt);
    return {gradients.x, gradients.weight, gradients.bias, at::Tensor()};
  }
};

class AddNormFunction : public OnceDifferentiable<AddNormFunction> {
 public:
  static constexpr char kName[] = "AddNorm";

  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               const at::Tensor& branch, const at::Tensor& weight,
                               const at::Tensor& bias, double probability, at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = NewDropout(probability, x);
    const auto [sum, norm] = Norms().AddNorm(x, branch, dropout, weight, bias, dtype);
    SaveNorm(context, sum, weight, norm, dropout);
    context->saved_data["branch"] = branch.scalar_type();
    return {sum, norm.normed};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    std::optional<at::ScalarType> branch;
    if (context->needs_input_grad(1)) branch = context->saved_data["branch"].toScalarType();
    const auto gradients =
        NormGradients(context, grads[0], grads[1], context->needs_input_grad(0), branch);
    return {gradients.x,    gradients.branch, gradients.weight,
            gradients.bias, at::Tensor(),     at::Tensor()};
  }
};

/// Of a context whose first input is the table, and that has saved the vocabulary: undefined unless
/// it is asked for. `grad`: of the sum of token and position.
at::Tensor TokenTableGradient(AutogradContext* context, const at::Tensor& grad,
                              const at::Tensor& ids) {
  if (!context->needs_input_grad(0)) return {};
  const int64_t vocabulary = context->saved_data["vocabulary"].toInt();
  return vocabulary <= cuda::kMaxVocabulary
             ? Embeddings().TokenSums(ids, grad, vocabulary)
             : at::embedding_dense_backward(grad, ids, vocabulary, /*padding_idx=*/-1,
                                            /*scale_grad_by_freq=*/false);
}

class EmbedNormFunction : public OnceDifferentiable<EmbedNormFunction> {
 public:
  static constexpr char kName[] = "EmbedNorm";

  static variable_list forward(AutogradContext* context, const at::Tensor& tokens,
                               const at::Tensor& positions, const at::Tensor& weight,
                               const at::Tensor& bias, const at::Tensor& ids, double probability,
                               at::ScalarType dtype) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = NewDropout(probability, tokens);
    const auto [sum, norm] =
        Embeddings().EmbedNorm(ids, tokens, positions, dropout, weight, bias, dtype);
    SaveNorm(context, sum, weight, norm, dropout, ids);
    context->saved_data["vocabulary"] = tokens.size(0);
    return {sum, norm.normed};
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    // The sum of token and position is the branch here.
    const auto gradients = NormGradients(context, grads[0], grads[1], /*of_x=*/false, at::kFloat);
    const at::Tensor& grad = gradients.branch;
    at::Tensor of_positions;
    if (context->needs_input_grad(1)) {
      const int64_t length = grad.size(-2);
      const int64_t width = grad.size(-1);
      of_positions = SumOfRows(grad.view({-1, length * width})).view({length, width});
    }
    return {TokenTableGradient(context, grad, context->get_saved_variables()[4]),
            of_positions,
            gradients.weight,
            gradients.bias,
            at::Tensor(),
            at::Tensor(),
            at::Tensor()};
  }
};

class EmbedFunction : public OnceDifferentiable<EmbedFunction> {
 public:
  static constexpr char kName[] = "Embed";

  static at::Tensor forward(AutogradContext* context, const at::Tensor& tokens,
                            const at::Tensor& positions, const at::Tensor& ids,
                            double probability) {
    at::AutoDispatchBelowADInplaceOrView below_autograd;
    const Dropout dropout = NewDropout(probability, tokens);
    at::Tensor sum = Embeddings().Embed(ids, tokens, positions, dropout);
    context->save_for_backward({ids});
    Save(context, dropout);
    context->saved_data["vocabulary"] = tokens.size(0);
    return sum;
  }

  static variable_list Gradients(AutogradContext* context, const variable_list& grads) {
    const auto [grad, of_positions] = Embeddings().EmbedBackward(grads[0], SavedDropout(context));
    return {TokenTableGradient(context, grad, context->get_saved_variables()[0]), of_positions,
            at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor NormRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    at::ScalarType dtype) {
  if (TakesRows(x, weight, dtype)) return LayerNormFunction::apply(x, weight, bias, dtype);
  return at::layer_norm(x, weight.sizes(), weight, bias, kNormEpsilon).to(dtype);
}

NormedSum AddNorm(const at::Tensor& x, const at::Tensor& branch, double dropout,
                  const at::Tensor& weight, const at::Tensor& bias, at::ScalarType dtype) {
  CheckDropout("AddNorm", dropout);
  TORCH_CHECK(branch.sizes() == x.sizes(), "AddNorm: branch must be ", x.sizes(), " as x is; got ",
              branch.sizes());
  if (TakesRows(x, weight, dtype) && TakesType(branch.scalar_type())) {
    const variable_list results = AddNormFunction::apply(x, branch, weight, bias, dropout, dtype);
    return {results[0], results[1]};
  }
  const at::Tensor sum = x + at::dropout(branch, dropout, /*train=*/true);
  return {sum, NormRows(sum, weight, bias, dtype)};
}

namespace {

void CheckEmbed(const char* name, const at::Tensor& ids, const at::Tensor& tokens,
                const at::Tensor& positions, double dropout) {
  CheckDropout(name, dropout);
  TORCH_CHECK(ids.dim() > 0, name, ": ids must be [..., length]; got ", ids.sizes());
  TORCH_CHECK(tokens.dim() == 2, name, ": tokens must be [vocabulary, width]; got ",
              tokens.sizes());
  const int64_t sizes[] = {ids.size(-1), tokens.size(1)};
  TORCH_CHECK(positions.sizes() == at::IntArrayRef(sizes), name, ": positions must be ",
              at::IntArrayRef(sizes), ", of the length of ids and the width of tokens; got ",
              positions.sizes());
}

at::Tensor EmbedByLibTorch(const at::Tensor& ids, const at::Tensor& tokens,
                           const at::Tensor& positions, double dropout) {
  return at::dropout(at::embedding(tokens, ids) + positions, dropout, /*train=*/true);
}

}  // namespace

NormedSum EmbedNorm(const at::Tensor& ids, const at::Tensor& tokens, const at::Tensor& positions,
                    double dropout, const at::Tensor& weight, const at::Tensor& bias,
                    at::ScalarType dtype) {
  CheckEmbed("EmbedNorm", ids, tokens, positions, dropout);
  if (TakesRows(ids.numel(), tokens, weight, dtype) && tokens.numel() > 0) {
    const variable_list results =
        EmbedNormFunction::apply(tokens, positions, weight, bias, ids, dropout, dtype);
    return {results[0], results[1]};
  }
  const at::Tensor sum = EmbedByLibTorch(ids, tokens, positions, dropout);
  return {sum, NormRows(sum, weight, bias, dtype)};
}

at::Tensor Embed(const at::Tensor& ids, const at::Tensor& tokens, const at::Tensor& positions,
                 double dropout) {
  CheckEmbed("Embed", ids, tokens, positions, dropout);
  const bool by_kernel = tokens.is_cuda() && tokens.scalar_type() == at::kFloat &&
                         tokens.numel() > 0 && ids.numel() > 0 && ids.numel() <= cuda::kMaxRows &&
                         cuda::TakesNormWidth(tokens.size(1));
  if (by_kernel) return EmbedFunction::apply(tokens, positions, ids, dropout);
  return EmbedByLibTorch(ids, tokens, positions, dropout);
}

}  // namespace spion
