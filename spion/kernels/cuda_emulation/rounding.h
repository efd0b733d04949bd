// Numbers as kernels have them, for tests: of floats, and back.
#ifndef SPION_KERNELS_CUDA_EMULATION_ROUNDING_H_
#define SPION_KERNELS_CUDA_EMULATION_ROUNDING_H_

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "spion/kernels/common/number.h"

namespace spion::cuda {

template <typename T>
T Round(float value) {
  if constexpr (std::is_same_v<T, Float16>) {
    return {std::bit_cast<uint16_t>(__float2half_rn(value))};
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return {std::bit_cast<uint16_t>(__float2bfloat16_rn(value))};
  } else {
    return value;
  }
}
template <typename T>
float Widen(T value) {
  if constexpr (std::is_same_v<T, Float16>) {
    return __half2float(std::bit_cast<__half>(value.bits));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return std::bit_cast<float>(uint32_t{value.bits} << 16);
  } else {
    return value;
  }
}

template <typename T>
std::vector<T> RoundAll(const std::vector<float>& values) {
  std::vector<T> rounded(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), Round<T>);
  return rounded;
}
template <typename T>
std::vector<float> WidenAll(const std::vector<T>& values) {
  std::vector<float> wide(values.size());
  std::transform(values.begin(), values.end(), wide.begin(), Widen<T>);
  return wide;
}
template <typename T>
std::vector<double> DoubleAll(const std::vector<T>& values) {
  std::vector<double> doubles(values.size());
  std::transform(values.begin(), values.end(), doubles.begin(), Widen<T>);
  return doubles;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_CUDA_EMULATION_ROUNDING_H_
