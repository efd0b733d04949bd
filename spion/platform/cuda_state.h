// What a machine and a program have of CUDA: why a GPU cannot be used, and whether there is one.
#ifndef SPION_PLATFORM_CUDA_STATE_H_
#define SPION_PLATFORM_CUDA_STATE_H_

#include <optional>
#include <string>

namespace spion {

/// As found in the program, its LibTorch, the driver and /dev.
struct CudaState {
  bool built_with_nvcc = false;
  bool has_kernels = false;          // SPION's own
  bool torch_is_cuda_build = false;  // LibTorch's CUDA side is in the program
  bool torch_sees_gpu = false;
  bool has_device_file = false;  // /dev/nvidia0, ...
  /// The driver's answer to cuInit, 0 for success; nothing without a driver.
  std::optional<int> driver_result;
  std::string driver_error;  // what it calls that answer: "CUDA_ERROR_UNKNOWN (unknown error)"
  int driver_version = 0;    // of CUDA that it supports, 12020 for 12.2; 0: unknown
  int torch_version = 0;     // of CUDA that LibTorch is built with, likewise
  /// The environment's CUDA_VISIBLE_DEVICES.
  std::optional<std::string> visible_devices;
};

CudaState ProbeCuda();

/// Whether this program can use a GPU here; if not, why.
struct CudaVerdict {
  std::string obstacle;  // empty: it can
  /// There is a GPU, and the user did not hide it: that it cannot be used is a fault.
  bool is_fault = false;
};

CudaVerdict JudgeCuda(const CudaState& state);

}  // namespace spion

#endif  // SPION_PLATFORM_CUDA_STATE_H_
