// What the operators of tokens' rows on a GPU share: sizes, types of numbers, dropouts and
// normalisations, as api.h takes them. Private to spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
#define SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>

#include "spion/kernels/common/number.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"
#include "spion/ops/operands.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {

/// [..., width] tensors as rows.
struct RowSizes {
  int64_t rows;
  int64_t width;
};
RowSizes SizesOf(const char* op, const char* name, const at::Tensor& x);

/// Calls body(T{}) with the kernels' type.
template <class Body>
auto DispatchNumber(const char* op, at::ScalarType dtype, Body&& body) {
  TORCH_CHECK(TakesType(dtype), op, " on a GPU takes Float and BFloat16; got ", dtype);
  return dtype == at::kFloat ? body(float{}) : body(BFloat16{});
}

/// The dropout of a forward call of so many draws, which draws from LibTorch's generator.
cuda::Dropout ForwardDropout(const Dropout& dropout, int64_t draws);
/// Of its backward call.
cuda::Dropout BackwardDropout(const Dropout& dropout, int64_t draws);

/// Of calls whose draws go over rows as they do in api.h.
cuda::Dropout ForwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);
cuda::Dropout BackwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);

/// The normalisation of rows to come, with what it writes.
struct NormTensors {
  NormTensors(const char* op, const at::Tensor& weight, const at::Tensor& bias,
              at::IntArrayRef sizes, RowSizes rows, at::ScalarType dtype, c10::Device device);

  template <typename T>
  cuda::RowNorm<T> Call() const {
    return {static_cast<float>(kNormEpsilon),
            Data<float>(weight),
            Data<float>(bias),
            MutableData<T>(out),
            MutableData<float>(mean),
            MutableData<float>(inverse_deviation)};
  }

  NormedRows Results() const { return {out, mean, inverse_deviation}; }

  at::Tensor weight;
  at::Tensor bias;
  at::Tensor out;
  at::Tensor mean;
  at::Tensor inverse_deviation;
};

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
