// How operators on the stable ABI get memory, and say that there is none.
#ifndef SPION_OPS_STABLE_ALLOCATE_H_
#define SPION_OPS_STABLE_ALLOCATE_H_

#include <torch/csrc/stable/tensor.h>

#include <new>
#include <string>
#include <utility>

namespace spion {

/// The device has not the memory asked for. Python makes a MemoryError of it, the functions of
/// spion/ops a c10::OutOfMemoryError.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

using Sizes = torch::headeronly::IntHeaderOnlyArrayRef;

/// An uninitialised tensor of the other's dtype and device; no view of another, so that it may be
/// an operator's result. Contiguous, or laid out in memory by `order`: dimensions, the outermost
/// first. Throws OutOfMemory where LibTorch has none to give, or, on a GPU, gives none as the GPU
/// has failed: the two look alike here (RunOnGpu of cuda_device.h tells them apart). LibTorch's own
/// message is then on stderr.
torch::stable::Tensor Allocate(const torch::stable::Tensor& like, Sizes sizes, Sizes order = {});

/// The same of float32, contiguous.
torch::stable::Tensor AllocateFloats(const torch::stable::Tensor& like, Sizes sizes);

/// A contiguous copy. Throws as Allocate.
torch::stable::Tensor Copy(const torch::stable::Tensor& tensor);

}  // namespace spion

#endif  // SPION_OPS_STABLE_ALLOCATE_H_
