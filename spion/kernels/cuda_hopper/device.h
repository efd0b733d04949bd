// Whether kernels for Hopper run.
#ifndef SPION_KERNELS_CUDA_HOPPER_DEVICE_H_
#define SPION_KERNELS_CUDA_HOPPER_DEVICE_H_

namespace spion::cuda::hopper {

/// Whether the current device is of compute capability 9.0. False also if CUDA cannot say, which
/// whoever launches something else then hears.
bool IsCurrentDevice();

}  // namespace spion::cuda::hopper

#endif  // SPION_KERNELS_CUDA_HOPPER_DEVICE_H_
