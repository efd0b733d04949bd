// From the padding of a batch to that of one example.
#ifndef SPION_KERNELS_CPU_SIMD_KEY_PADDING_H_
#define SPION_KERNELS_CPU_SIMD_KEY_PADDING_H_

#include <cstdint>

#include "spion/kernels/common/key_padding.h"
#include "spion/kernels/cpu_simd/padding.h"

namespace spion::cpu_simd {

inline Padding PaddingOf(const KeyPadding& padding, int64_t batch, int64_t length) {
  return {padding.lengths == nullptr ? length : padding.lengths[batch],
          padding.valid == nullptr ? nullptr : padding.valid + batch * length};
}

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_KEY_PADDING_H_
