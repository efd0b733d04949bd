// How operators on the stable ABI get memory, and say that there is none.
#ifndef SPION_OPS_STABLE_ALLOCATE_H_
#define SPION_OPS_STABLE_ALLOCATE_H_

#include <torch/csrc/stable/tensor.h>

#include <new>
#include <optional>
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

/// An uninitialised tensor on the other's device, of its dtype if none is given. Throws OutOfMemory
/// where LibTorch has none to give; LibTorch's own message is then on stderr.
torch::stable::Tensor Allocate(const torch::stable::Tensor& like,
                               torch::headeronly::IntHeaderOnlyArrayRef sizes,
                               std::optional<torch::headeronly::ScalarType> dtype = std::nullopt);

}  // namespace spion

#endif  // SPION_OPS_STABLE_ALLOCATE_H_
