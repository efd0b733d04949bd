// The device of the GPU tests.
#ifndef SPION_OPS_GPU_GPU_H_
#define SPION_OPS_GPU_GPU_H_

#include <c10/core/Device.h>

namespace spion {

inline c10::Device Gpu() { return {c10::DeviceType::CUDA, 0}; }

}  // namespace spion

#endif  // SPION_OPS_GPU_GPU_H_
