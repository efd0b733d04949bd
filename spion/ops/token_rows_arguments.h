// The arguments of the operators of tokens' rows on a GPU, as the kernels take them. Private to
// spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
#define SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"

namespace spion {

template <typename T>
const T* Data(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <typename T>
T* MutableData(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

/// What the kernels rely on: contiguous, aligned; x may be any view.
at::Tensor Rows(const at::Tensor& x);

/// Throws unless `tensor` is what the kernel will read.
void CheckOperand(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType dtype,
                  at::IntArrayRef sizes, c10::Device device);

/// The same; gives it as the kernel reads it.
at::Tensor Operand(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType dtype,
                   at::IntArrayRef sizes, c10::Device device);

/// [..., width] tensors as rows.
struct RowSizes {
  int64_t rows;
  int64_t width;
};
RowSizes SizesOf(const char* op, const char* name, const at::Tensor& x);

/// The dropout of a forward call of so many draws, which draws from LibTorch's generator.
cuda::Dropout ForwardDropout(const Dropout& dropout, int64_t draws);
/// Of its backward call.
cuda::Dropout BackwardDropout(const Dropout& dropout, int64_t draws);

/// Of calls whose draws go over rows as they do in api.h.
cuda::Dropout ForwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);
cuda::Dropout BackwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
