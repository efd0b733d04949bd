// What the current GPU is, and how much of its memory is free.
#ifndef BENCHMARKS_GPU_GPU_INFO_H_
#define BENCHMARKS_GPU_GPU_INFO_H_

#include <cstdint>
#include <string>

namespace spion {

struct GpuInfo {
  std::string name;    // "NVIDIA H200"
  std::string driver;  // "580.82.07, CUDA 13.0": its version, and the newest CUDA it can run
  int64_t l2_bytes = 0;
};

/// Throws c10::Error if CUDA does.
GpuInfo GetGpuInfo();

/// Device memory that could be allocated now, of any process; LibTorch's cached blocks don't count.
int64_t FreeDeviceBytes();

}  // namespace spion

#endif  // BENCHMARKS_GPU_GPU_INFO_H_
