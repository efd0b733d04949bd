// What the CUDA operators share: the element type, the stream, and which gradients are read as they
// are. Private to spion/ops/stable.
#ifndef SPION_OPS_STABLE_CUDA_DEVICE_H_
#define SPION_OPS_STABLE_CUDA_DEVICE_H_

#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/tensor.h>

#include <cstdint>
#include <utility>

#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_launch/device.h"
#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/refuse.h"
#include "spion/ops/stable/tensor_arguments.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion {

/// The GPU that q is on, which decides where the operator runs. That another argument is on a GPU
/// is enough for LibTorch to choose these operators.
inline torch::stable::accelerator::DeviceIndex GpuOf(const char* op,
                                                     const torch::stable::Tensor& q) {
  if (!q.is_cuda()) {
    Refuse(op, ": q is on ", DeviceOf(q), ", and another argument on a cuda device; move all ",
           "to one by .to()");
  }
  return q.get_device_index();
}

/// LibTorch's current stream on q's device, which must be the current one.
inline CUstream_st* CurrentStream(const torch::stable::Tensor& q) {
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(q.get_device_index(), &stream));
  return static_cast<CUstream_st*>(stream);
}

/// body(T{}) with the kernels' type for q's dtype; refuses any other.
template <class Body>
auto DispatchElement(const char* op, const torch::stable::Tensor& q, Body&& body) {
  using torch::headeronly::ScalarType;
  switch (q.scalar_type()) {
    case ScalarType::Half:
      return body(Float16{});
    case ScalarType::BFloat16:
      return body(BFloat16{});
    case ScalarType::Float:
      return body(float{});
    default:
      Refuse(op, " on a GPU takes Half, BFloat16 and Float tensors; got ", DtypeOf(q),
             "; convert q, k and v to one of these by .to()");
  }
}

/// The same with q's GPU as the current device. A GPU that an earlier kernel has brought down has
/// no memory to give either: it is said to have failed, and not to be out of memory.
template <class Body>
auto RunOnGpu(const char* op, const torch::stable::Tensor& q, Body&& body) {
  const torch::stable::accelerator::DeviceGuard guard(GpuOf(op, q));
  try {
    return DispatchElement(op, q, std::forward<Body>(body));
  } catch (const OutOfMemory&) {
    CheckOk(op, cuda::StatusOfDevice());
    throw;
  }
}

/// Whether the kernels can read the [B, H, L, d] tensor in place.
inline bool IsReadInPlace(const torch::stable::Tensor& tensor) {
  constexpr int64_t kAlignmentBytes = 16;
  const auto element_bytes = static_cast<int64_t>(tensor.element_size());
  if (tensor.dim() != 4 || tensor.stride(3) != 1 ||
      !SpansFewEnoughBytes(tensor.size(2), tensor.stride(2), element_bytes)) {
    return false;
  }
  if (reinterpret_cast<uintptr_t>(tensor.const_data_ptr()) % kAlignmentBytes != 0) return false;
  for (int dimension = 0; dimension < 3; ++dimension) {
    if (tensor.stride(dimension) * element_bytes % kAlignmentBytes != 0) return false;
  }
  return true;
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_CUDA_DEVICE_H_
