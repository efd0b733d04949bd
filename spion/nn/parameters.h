// The learnable tensors of a model, by name, in the order in which they were made.
//
//   Parameters parameters(device);
//   Linear project(parameters.root() / "layer0" / "project", 64, 192);
//   for (const NamedTensor& p : parameters.items()) ...
//
// The optimiser, the checkpoint and the device move walk this list; the layers hold the same
// tensors (at::Tensor is a handle), so their values must be changed in place.
#ifndef SPION_NN_PARAMETERS_H_
#define SPION_NN_PARAMETERS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace spion {

struct NamedTensor {
  std::string name;
  at::Tensor value;
};

class Parameters {
 public:
  /// Where new parameters are registered, and under which prefix.
  class Scope {
   public:
    Scope(Parameters* owner, std::string prefix) : owner_(owner), prefix_(std::move(prefix)) {}
    Scope operator/(const std::string& name) const { return {owner_, prefix_ + name + "."}; }
    /// Registers `initial` as a learnable leaf on the list's device. Throws c10::Error on a second
    /// parameter of that name.
    at::Tensor Add(const std::string& name, const at::Tensor& initial) const;

   private:
    Parameters* owner_;
    std::string prefix_;
  };

  /// Parameters are made on the CPU (so that a seed gives the same values everywhere) and kept on
  /// `device`.
  explicit Parameters(c10::Device device) : device_(device) {}
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  Scope root() { return {this, ""}; }
  const std::vector<NamedTensor>& items() const { return items_; }
  c10::Device device() const { return device_; }
  int64_t element_count() const;

 private:
  c10::Device device_;
  std::vector<NamedTensor> items_;
};

}  // namespace spion

#endif  // SPION_NN_PARAMETERS_H_
