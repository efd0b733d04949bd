// How float32 matrices are multiplied on a GPU.
#ifndef SPION_PLATFORM_FLOAT32_MATH_H_
#define SPION_PLATFORM_FLOAT32_MATH_H_

#include "spion/kernels/common/number.h"

namespace spion {

/// As LibTorch multiplies them in this process: exactly, unless tf32 was allowed
/// (torch.backends.cuda.matmul.allow_tf32, or at::Context::setAllowTF32CuBLAS).
Float32Math LibTorchFloat32Math();

}  // namespace spion

#endif  // SPION_PLATFORM_FLOAT32_MATH_H_
