// Which device a run uses, and what the machine is.
#ifndef SPION_PLATFORM_DEVICE_H_
#define SPION_PLATFORM_DEVICE_H_

#include <c10/core/Device.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/platform/cuda_state.h"

namespace spion {

struct DeviceChoice {
  c10::Device device;
  /// Set when "auto" chose the CPU: why not a GPU. For the log.
  std::string reason;
};

/// "auto": a CUDA device, or the CPU where there is none. "cpu", "cuda". `probe` is not asked for
/// "cpu".
/// Errors: FailedPrecondition for "cuda" where there is none, and for both where there is one that
/// cannot be used, saying why and what to do; InvalidArgument for another text.
absl::StatusOr<DeviceChoice> ChooseDevice(absl::string_view text,
                                          absl::FunctionRef<CudaState()> probe = ProbeCuda);

/// "AMD EPYC 9654 (2 threads)", "NVIDIA H200".
std::string DeviceName(c10::Device device);

/// Returns when the device has done all that it was asked to do so far; at once for the CPU.
void WaitForDevice(c10::Device device);

/// High-water marks of this process's memory on a device, MiB.
struct PeakMemory {
  /// Resident memory on the CPU; on a GPU what tensors took, as torch.cuda.max_memory_allocated.
  double used_mib = 0;
  /// On a GPU what LibTorch held for them, recorded steps and its cache included; else used_mib.
  double reserved_mib = 0;
};
PeakMemory GetPeakMemory(c10::Device device);
PeakMemory LargerOf(const PeakMemory& one, const PeakMemory& other);

}  // namespace spion

#endif  // SPION_PLATFORM_DEVICE_H_
