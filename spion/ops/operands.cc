#include "spion/ops/operands.h"

#include <cstdint>

namespace spion {

using at::Tensor;

namespace {

bool IsAligned(const Tensor& tensor) {
  constexpr uintptr_t kAlignmentBytes = 16;
  return reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % kAlignmentBytes == 0;
}

}  // namespace

Tensor Rows(const Tensor& x) {
  const Tensor rows = x.contiguous();
  return IsAligned(rows) ? rows : rows.clone();
}

void CheckOperand(const char* op, const char* name, const Tensor& tensor, at::ScalarType dtype,
                  at::IntArrayRef sizes, c10::Device device) {
  TORCH_CHECK(tensor.defined(), op, ": ", name, " must be ", dtype, " ", sizes, " on ", device,
              "; got an undefined tensor");
  TORCH_CHECK(tensor.scalar_type() == dtype && tensor.sizes() == sizes && tensor.device() == device,
              op, ": ", name, " must be ", dtype, " ", sizes, " on ", device, "; got ",
              tensor.scalar_type(), " ", tensor.sizes(), " on ", tensor.device());
}

Tensor Operand(const char* op, const char* name, const Tensor& tensor, at::ScalarType dtype,
               at::IntArrayRef sizes, c10::Device device) {
  CheckOperand(op, name, tensor, dtype, sizes, device);
  return Rows(tensor);
}

const float* ParameterData(const char* op, const char* name, const Tensor& parameter,
                           at::IntArrayRef sizes, c10::Device device) {
  CheckOperand(op, name, parameter, at::kFloat, sizes, device);
  TORCH_CHECK(parameter.is_contiguous() && IsAligned(parameter), op, ": ", name,
              " must be contiguous, from a multiple of 16 bytes; got strides ", parameter.strides(),
              parameter.is_contiguous() ? " from elsewhere" : "",
              "; a parameter is read in place: keep it so");
  return Data<float>(parameter);
}

}  // namespace spion
