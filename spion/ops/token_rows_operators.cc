#include "spion/ops/token_rows_operators.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

#include <atomic>
#include <utility>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/find_operator.h"
#include "spion/ops/token_rows.h"

namespace spion {
namespace token_rows {
namespace {

using at::ScalarType;
using at::Tensor;
using torch::autograd::AutogradContext;

std::atomic<int64_t> g_batch_slice = 0;

}  // namespace

void CheckDropout(const char* name, double probability) {
  TORCH_CHECK(probability >= 0 && probability < 1, name,
              ": the probability of a dropout must be at least 0 and below 1; got ", probability);
}

Dropout Draw(double probability, const Tensor& x) {
  static const auto op = FindOperator<std::vector<int64_t>(const Tensor&)>("spion::draw_random");
  if (probability == 0) return {0, {}};
  std::vector<int64_t> random = op.call(x);
  random.push_back(g_batch_slice);
  return {probability, std::move(random)};
}

void Save(AutogradContext* context, const Dropout& dropout) {
  context->saved_data["dropout"] = dropout.probability;
  context->saved_data["random"] = dropout.random;
}

Dropout SavedDropout(AutogradContext* context) {
  return {context->saved_data["dropout"].toDouble(), context->saved_data["random"].toIntVector()};
}

Norm CallLayerNorm(const Tensor& x, const Tensor& weight, const Tensor& bias, ScalarType dtype) {
  static const auto op = FindOperator<std::tuple<Tensor, Tensor, Tensor>(
      const Tensor&, const Tensor&, const Tensor&, double, ScalarType)>("spion::layer_norm");
  auto [normed, mean, inverse_deviation] = op.call(x, weight, bias, kEpsilon, dtype);
  return {normed, mean, inverse_deviation};
}

std::tuple<Tensor, Norm> CallAddNorm(const Tensor& x, const Tensor& branch, const Dropout& dropout,
                                     const Tensor& weight, const Tensor& bias, ScalarType dtype) {
  static const auto op = FindOperator<std::tuple<Tensor, Tensor, Tensor, Tensor>(
      const Tensor&, const Tensor&, double, at::IntArrayRef, const Tensor&, const Tensor&, double,
      ScalarType)>("spion::add_norm");
  auto [sum, normed, mean, inverse_deviation] =
      op.call(x, branch, dropout.probability, dropout.random, weight, bias, kEpsilon, dtype);
  return {sum, Norm{normed, mean, inverse_deviation}};
}

std::tuple<Tensor, Norm> CallEmbedNorm(const Tensor& ids, const Tensor& tokens,
                                       const Tensor& positions, const Dropout& dropout,
                                       const Tensor& weight, const Tensor& bias, ScalarType dtype) {
  static const auto op = FindOperator<std::tuple<Tensor, Tensor, Tensor, Tensor>(
      const Tensor&, const Tensor&, const Tensor&, double, at::IntArrayRef, const Tensor&,
      const Tensor&, double, ScalarType)>("spion::embed_norm");
  auto [sum, normed, mean, inverse_deviation] = op.call(
      ids, tokens, positions, dropout.probability, dropout.random, weight, bias, kEpsilon, dtype);
  return {sum, Norm{normed, mean, inverse_deviation}};
}

AddNormGradients CallAddNormBackward(const Tensor& grad_sum, const Tensor& grad_normed,
                                     const Tensor& sum, const Tensor& weight, const Tensor& mean,
                                     const Tensor& inverse_deviation, const Dropout& dropout,
                                     bool of_x, std::optional<ScalarType> branch) {
  static const auto op = FindOperator<std::tuple<Tensor, Tensor, Tensor, Tensor>(
      const std::optional<Tensor>&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
      const Tensor&, double, at::IntArrayRef, bool, std::optional<ScalarType>)>(
      "spion::add_norm_backward");
  std::optional<Tensor> beside;
  if (grad_sum.defined()) beside = grad_sum;
  auto [grad_x, grad_branch, grad_weight, grad_bias] =
      op.call(beside, grad_normed, sum, weight, mean, inverse_deviation, dropout.probability,
              dropout.random, of_x, branch);
  return {grad_x, grad_branch, grad_weight, grad_bias};
}

Tensor CallTokenSums(const Tensor& ids, const Tensor& x, int64_t vocabulary) {
  static const auto op =
      FindOperator<Tensor(const Tensor&, const Tensor&, int64_t)>("spion::token_sums");
  return op.call(ids, x, vocabulary);
}

Tensor CallColumnSums(const Tensor& x) {
  static const auto op = FindOperator<Tensor(const Tensor&)>("spion::column_sums");
  return op.call(x);
}

Tensor CallGeluDropout(const Tensor& x, const Dropout& dropout) {
  static const auto op =
      FindOperator<Tensor(const Tensor&, double, at::IntArrayRef)>("spion::gelu_dropout");
  return op.call(x, dropout.probability, dropout.random);
}

Tensor CallGeluDropoutBackward(const Tensor& grad_out, const Tensor& x, const Dropout& dropout) {
  static const auto op =
      FindOperator<Tensor(const Tensor&, const Tensor&, double, at::IntArrayRef)>(
          "spion::gelu_dropout_backward");
  return op.call(grad_out, x, dropout.probability, dropout.random);
}

Tensor SumOfRows(const Tensor& x) {
  const bool by_kernel = x.is_cuda() && TakesType(x.scalar_type()) && x.size(0) > 0 &&
                         x.size(0) <= cuda::kMaxRows && cuda::TakesSumWidth(x.size(1));
  if (by_kernel) return CallColumnSums(x);
  return x.sum(0, /*keepdim=*/false, x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

}  // namespace token_rows

void SetBatchSlice(int64_t index) { token_rows::g_batch_slice = index; }

// `random`: seed and offset of the generator, then where to find them on the device if a graph is
// being recorded, else zeros; a dropout takes the number of the batch's slice besides.
TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def("draw_random(Tensor like) -> int[]");
  library.def(
      "layer_norm(Tensor x, Tensor weight, Tensor bias, float epsilon, ScalarType dtype) "
      "-> (Tensor normed, Tensor mean, Tensor inverse_deviation)");
  library.def(
      "add_norm(Tensor x, Tensor branch, float dropout, int[] random, Tensor weight, Tensor bias, "
      "float epsilon, ScalarType dtype) "
      "-> (Tensor sum, Tensor normed, Tensor mean, Tensor inverse_deviation)");
  library.def(
      "embed_norm(Tensor ids, Tensor tokens, Tensor positions, float dropout, int[] random, "
      "Tensor weight, Tensor bias, float epsilon, ScalarType dtype) "
      "-> (Tensor sum, Tensor normed, Tensor mean, Tensor inverse_deviation)");
  library.def(
      "add_norm_backward(Tensor? grad_sum, Tensor grad_normed, Tensor sum, Tensor weight, "
      "Tensor mean, Tensor inverse_deviation, float dropout, int[] random, bool of_x, "
      "ScalarType? branch) "
      "-> (Tensor grad_x, Tensor grad_branch, Tensor grad_weight, Tensor grad_bias)");
  library.def("token_sums(Tensor ids, Tensor x, int vocabulary) -> Tensor");
  library.def("column_sums(Tensor x) -> Tensor");
  library.def("gelu_dropout(Tensor x, float dropout, int[] random) -> Tensor");
  library.def(
      "gelu_dropout_backward(Tensor grad_out, Tensor x, float dropout, int[] random) -> Tensor");
}

// The functions of token_rows.h have the gradients of these.
TORCH_LIBRARY_IMPL(spion, Autograd, library) {
  for (const char* name : {"layer_norm", "add_norm", "embed_norm", "add_norm_backward",
                           "token_sums", "column_sums", "gelu_dropout", "gelu_dropout_backward"}) {
    library.impl(name, torch::autograd::autogradNotImplementedFallback());
  }
}

}  // namespace spion
