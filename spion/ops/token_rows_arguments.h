// The arguments of the operators of tokens' rows on a GPU, as the kernels take them. Private to
// spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
#define SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "spion/kernels/token_rows/api.h"

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

/// `random`: draw_random's numbers, which are the state, field by field, and which slice of its
/// batch this call has. `draws`: of this call.
cuda::Dropout AsDropout(const char* op, double probability, at::IntArrayRef random, int64_t draws);

/// Of a call whose draws go over rows as they do in api.h.
cuda::Dropout AsDropout(const char* op, double probability, at::IntArrayRef random, RowSizes sizes);

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
