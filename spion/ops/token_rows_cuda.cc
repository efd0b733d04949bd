// The operators of token_rows.h on a GPU.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <cstdint>
#include <tuple>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/tensor_arguments.h"

namespace spion {
namespace {

using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

constexpr char kNormOp[] = "spion::layer_norm";
constexpr char kNormBackwardOp[] = "spion::layer_norm_backward";
constexpr char kSumsOp[] = "spion::column_sums";

/// Calls body(T{}) with the kernels' type.
template <class Body>
auto DispatchNumber(const char* op, at::ScalarType dtype, Body&& body) {
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16, op,
              " on a GPU takes Float and BFloat16; got ", dtype);
  return dtype == at::kFloat ? body(float{}) : body(BFloat16{});
}

template <typename T>
const T* Data(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <typename T>
T* MutableData(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// What the kernels rely on; x may be any view.
at::Tensor Rows(const at::Tensor& x) {
  constexpr uintptr_t kAlignmentBytes = 16;
  const at::Tensor rows = x.contiguous();
  const bool is_aligned = reinterpret_cast<uintptr_t>(rows.const_data_ptr()) % kAlignmentBytes == 0;
  return is_aligned ? rows : rows.clone();
}

void CheckNorm(const char* op, const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat, op,
              " normalises Float tensors; got ", x.scalar_type(), " and weights of ",
              weight.scalar_type());
  TORCH_CHECK(x.dim() > 0 && weight.dim() == 1 && x.size(-1) == weight.size(0), op, ": rows of x ",
              x.sizes(), " do not fit weights ", weight.sizes());
}

ThreeTensors LayerNorm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       double epsilon, at::ScalarType dtype) {
  const c10::cuda::CUDAGuard guard(x.device());
  CheckNorm(kNormOp, x, weight);
  const int64_t width = weight.size(0);
  const int64_t count = x.numel() / width;
  const at::Tensor rows = Rows(x);
  const at::Tensor scale = Rows(weight);
  const at::Tensor shift = Rows(bias);
  at::Tensor out = at::empty(x.sizes(), x.options().dtype(dtype));
  at::Tensor mean = at::empty({count}, x.options());
  at::Tensor inverse = at::empty({count}, x.options());
  DispatchNumber(kNormOp, dtype, [&](auto number) {
    using T = decltype(number);
    ThrowIfError(kNormOp, cuda::Run(
                              cuda::LayerNormForward<T>{
                                  count, width, static_cast<float>(epsilon), Data<float>(rows),
                                  Data<float>(scale), Data<float>(shift), MutableData<T>(out),
                                  MutableData<float>(mean), MutableData<float>(inverse)},
                              c10::cuda::getCurrentCUDAStream()));
  });
  return {out, mean, inverse};
}

ThreeTensors LayerNormBackward(const at::Tensor& grad_out, const at::Tensor& x,
                               const at::Tensor& weight, const at::Tensor& mean,
                               const at::Tensor& inverse_deviation) {
  const c10::cuda::CUDAGuard guard(x.device());
  CheckNorm(kNormBackwardOp, x, weight);
  const int64_t width = weight.size(0);
  const int64_t count = x.numel() / width;
  const at::Tensor grad_rows = Rows(grad_out);
  const at::Tensor rows = Rows(x);
  const at::Tensor scale = Rows(weight);
  at::Tensor grad_x = at::empty(x.sizes(), x.options());
  at::Tensor grad_parameters = at::empty({2, width}, x.options());
  const at::Tensor scratch = at::empty({cuda::ScratchFloats(count, 2 * width)}, x.options());
  DispatchNumber(kNormBackwardOp, grad_rows.scalar_type(), [&](auto number) {
    using T = decltype(number);
    ThrowIfError(
        kNormBackwardOp,
        cuda::Run(
            cuda::LayerNormBackward<T>{
                count, width, Data<T>(grad_rows), Data<float>(rows), Data<float>(scale),
                Data<float>(mean), Data<float>(inverse_deviation), MutableData<float>(grad_x),
                MutableData<float>(grad_parameters), MutableData<float>(scratch)},
            c10::cuda::getCurrentCUDAStream()));
  });
  return {grad_x, grad_parameters.select(0, 0), grad_parameters.select(0, 1)};
}

at::Tensor ColumnSums(const at::Tensor& x) {
  const c10::cuda::CUDAGuard guard(x.device());
  TORCH_CHECK(x.dim() == 2, kSumsOp, " takes a matrix; got ", x.sizes());
  const at::Tensor rows = Rows(x);
  const at::TensorOptions floats = x.options().dtype(at::kFloat);
  at::Tensor sums = at::empty({x.size(1)}, floats);
  const at::Tensor scratch = at::empty({cuda::ScratchFloats(x.size(0), x.size(1))}, floats);
  DispatchNumber(kSumsOp, x.scalar_type(), [&](auto number) {
    using T = decltype(number);
    ThrowIfError(kSumsOp, cuda::Run(cuda::ColumnSums<T>{x.size(0), x.size(1), Data<T>(rows),
                                                        MutableData<float>(sums),
                                                        MutableData<float>(scratch)},
                                    c10::cuda::getCurrentCUDAStream()));
  });
  return sums;
}

}  // namespace

TORCH_LIBRARY_IMPL(spion, CUDA, library) {
  library.impl("layer_norm", LayerNorm);
  library.impl("layer_norm_backward", LayerNormBackward);
  library.impl("column_sums", ColumnSums);
}

}  // namespace spion
