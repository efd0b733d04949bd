// The operands of operators on a GPU, as the kernels take them. Private to spion/ops.
#ifndef SPION_OPS_OPERANDS_H_
#define SPION_OPS_OPERANDS_H_

#include <ATen/core/Tensor.h>

namespace spion {

template <typename T>
const T* Data(const at::Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}
template <typename T>
T* MutableData(const at::Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

/// What the kernels rely on: contiguous, aligned to 16 bytes; x may be any view.
at::Tensor Rows(const at::Tensor& x);

/// Throws unless `tensor` is what the kernel will read.
void CheckOperand(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType dtype,
                  at::IntArrayRef sizes, c10::Device device);

/// The same; gives it as the kernel reads it.
at::Tensor Operand(const char* op, const char* name, const at::Tensor& tensor, at::ScalarType dtype,
                   at::IntArrayRef sizes, c10::Device device);

/// Of a float32 parameter that the kernel reads while the one before on the stream ends. Throws,
/// too, where it would have to be copied first: that copy would be the kernel before.
const float* ParameterData(const char* op, const char* name, const at::Tensor& parameter,
                           at::IntArrayRef sizes, c10::Device device);

}  // namespace spion

#endif  // SPION_OPS_OPERANDS_H_
