#include "spion/platform/random_state.h"

#include <ATen/Context.h>

#include <mutex>

#include "absl/strings/str_cat.h"

namespace spion {

at::Tensor RandomState(c10::Device device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

absl::Status SetRandomState(c10::Device device, const at::Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  try {
    generator.set_state(state);
  } catch (const c10::Error& error) {
    return absl::DataLossError(absl::StrCat("the state of the random numbers of ", device.str(),
                                            ": ", error.what_without_backtrace()));
  }
  return absl::OkStatus();
}

RandomStateScope::RandomStateScope(c10::Device device)
    : device_(device),
      cpu_state_(RandomState(at::kCPU)),
      device_state_(device.is_cpu() ? at::Tensor() : RandomState(device)) {}

RandomStateScope::~RandomStateScope() {
  // States of these very generators.
  SetRandomState(at::kCPU, cpu_state_).IgnoreError();
  if (!device_.is_cpu()) SetRandomState(device_, device_state_).IgnoreError();
}

}  // namespace spion
