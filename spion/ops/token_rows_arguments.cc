#include "spion/ops/token_rows_arguments.h"

#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <mutex>

#include "spion/ops/operands.h"

namespace spion {

using at::Tensor;

namespace {

/// Where the generator stands, and moves it on by one draw of each of its sequences.
at::PhiloxCudaState Draw(c10::Device device) {
  constexpr uint64_t kNumbers = 4;  // one call of Philox
  auto* generator = at::check_generator<at::CUDAGeneratorImpl>(
      at::cuda::detail::getDefaultCUDAGenerator(device.index()));
  const std::lock_guard<std::mutex> lock(generator->mutex_);
  return generator->philox_cuda_state(kNumbers);
}

void CheckSlice(const char* op, const Dropout& dropout, int64_t rows) {
  TORCH_CHECK(dropout.slice == 0 || rows % cuda::kRowsPerDraw == 0, op,
              ": a slice of a batch must have a multiple of ", cuda::kRowsPerDraw,
              " rows for its dropout; got ", rows);
}

}  // namespace

RowSizes SizesOf(const char* op, const char* name, const Tensor& x) {
  TORCH_CHECK(x.dim() > 0 && x.size(-1) > 0, op, ": ", name,
              " must be rows [..., width] of at least one number; got ", x.sizes());
  return {x.numel() / x.size(-1), x.size(-1)};
}

cuda::Dropout ForwardDropout(const Dropout& dropout, int64_t draws) {
  if (dropout.probability == 0) return {};
  cuda::RandomState random = {.first_draw = dropout.slice * draws,
                              .drawn = MutableData<int64_t>(dropout.random)};
  const at::PhiloxCudaState state = Draw(dropout.random.device());
  if (state.captured_) {
    random.seed_on_device = state.seed_.ptr;
    random.offset_on_device = state.offset_.ptr;
    random.offset = state.offset_intragraph_;
  } else {
    random.seed = state.seed_.val;
    random.offset = state.offset_.val;
  }
  return {.probability = static_cast<float>(dropout.probability), .random = random};
}

cuda::Dropout BackwardDropout(const Dropout& dropout, int64_t draws) {
  if (dropout.probability == 0) return {};
  const auto* drawn = Data<int64_t>(dropout.random);
  return {.probability = static_cast<float>(dropout.probability),
          .random = {.seed_on_device = drawn,
                     .offset_on_device = drawn + 1,
                     .first_draw = dropout.slice * draws}};
}

cuda::Dropout ForwardDropout(const char* op, const Dropout& dropout, RowSizes sizes) {
  CheckSlice(op, dropout, sizes.rows);
  return ForwardDropout(dropout, sizes.rows * sizes.width / cuda::kNumbersPerDraw);
}

cuda::Dropout BackwardDropout(const char* op, const Dropout& dropout, RowSizes sizes) {
  CheckSlice(op, dropout, sizes.rows);
  return BackwardDropout(dropout, sizes.rows * sizes.width / cuda::kNumbersPerDraw);
}

NormTensors::NormTensors(const char* op, const Tensor& weight, const Tensor& bias,
                         at::IntArrayRef sizes, RowSizes rows, at::ScalarType dtype,
                         c10::Device device)
    : weight(Operand(op, "weight", weight, at::kFloat, {rows.width}, device)),
      bias(Operand(op, "bias", bias, at::kFloat, {rows.width}, device)),
      out(at::empty(sizes, this->weight.options().dtype(dtype))),
      mean(at::empty({rows.rows}, this->weight.options())),
      inverse_deviation(at::empty_like(mean)) {}

}  // namespace spion
