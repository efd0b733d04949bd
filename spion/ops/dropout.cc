#include "spion/ops/dropout.h"

#include <ATen/ops/empty.h>

#include <atomic>

#include "spion/ops/token_rows.h"

namespace spion {
namespace {

using torch::autograd::AutogradContext;

std::atomic<int64_t> g_batch_slice = 0;

}  // namespace

void SetBatchSlice(int64_t index) { g_batch_slice = index; }

void CheckDropout(const char* name, double probability) {
  TORCH_CHECK(probability >= 0 && probability < 1, name,
              ": the probability of a dropout must be at least 0 and below 1; got ", probability);
}

Dropout NewDropout(double probability, const at::Tensor& x) {
  if (probability == 0) return {};
  return {probability, g_batch_slice, at::empty({2}, x.options().dtype(at::kLong))};
}

void Save(AutogradContext* context, const Dropout& dropout) {
  context->saved_data["dropout"] = dropout.probability;
  context->saved_data["slice"] = dropout.slice;
  context->saved_data["random"] = dropout.random;
}

Dropout SavedDropout(AutogradContext* context) {
  return {context->saved_data["dropout"].toDouble(), context->saved_data["slice"].toInt(),
          context->saved_data["random"].toTensor()};
}

}  // namespace spion
