// Element types of the CUDA operators. Private to spion/ops.
#ifndef SPION_OPS_CUDA_DISPATCH_H_
#define SPION_OPS_CUDA_DISPATCH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "spion/kernels/common/number.h"
#include "spion/ops/tensor_arguments.h"

namespace spion {

/// Calls body(T{}) with the kernels' type for q's dtype; throws c10::Error for any other.
template <class Body>
auto DispatchElement(const char* op, const at::Tensor& q, Body&& body) {
  switch (q.scalar_type()) {
    case at::kHalf:
      return body(Float16{});
    case at::kBFloat16:
      return body(BFloat16{});
    case at::kFloat:
      return body(float{});
    default:
      TORCH_CHECK(false, op, " on a GPU takes Half, BFloat16 and Float tensors; got ",
                  q.scalar_type(), "; convert q, k and v to one of these by .to()");
  }
}

/// Whether the kernels can read the [B, H, L, d] tensor in place.
inline bool IsReadInPlace(const at::Tensor& tensor) {
  constexpr int64_t kAlignmentBytes = 16;
  if (tensor.stride(3) != 1 || !IsWithinReach(tensor, tensor.stride(2))) return false;
  if (reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % kAlignmentBytes != 0) return false;
  for (int dimension = 0; dimension < 3; ++dimension) {
    if (tensor.stride(dimension) * tensor.element_size() % kAlignmentBytes != 0) return false;
  }
  return true;
}

}  // namespace spion

#endif  // SPION_OPS_CUDA_DISPATCH_H_
