// Exponentials are powers of two, which the GPU has an instruction for: exp(x) = 2^(x log2 e).
#ifndef SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_
#define SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_

namespace spion::tiles {

constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLn2 = 0.6931471805599453F;

}  // namespace spion::tiles

#endif  // SPION_KERNELS_CUDA_TILES_EXPONENT_CUH_
