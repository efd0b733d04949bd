#include "benchmarks/gpu/gpu_info.h"

#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>

#include <fstream>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

// The kernel module's version. CUDA itself tells only which CUDA the driver supports.
std::string ModuleVersion() {
  std::ifstream file("/sys/module/nvidia/version");
  std::string version;
  return std::getline(file, version) ? version : "version not shown by the system";
}

}  // namespace

GpuInfo GetGpuInfo() {
  const c10::DeviceIndex device = c10::cuda::current_device();
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  int cuda = 0;
  C10_CUDA_CHECK(cudaDriverGetVersion(&cuda));  // 1000 * major + 10 * minor
  return {.name = properties.name,
          .driver = absl::StrCat(ModuleVersion(), ", CUDA ", cuda / 1000, ".", cuda % 1000 / 10),
          .l2_bytes = properties.l2CacheSize};
}

int64_t FreeDeviceBytes() {
  size_t free = 0;
  size_t total = 0;
  C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return static_cast<int64_t>(free);
}

}  // namespace spion
