// The arguments of the mean attention map, as a plain struct: what host code fills in and device
// code reads. What is computed from them: api.h.
#ifndef SPION_KERNELS_ATTENTION_MAP_CALL_H_
#define SPION_KERNELS_ATTENTION_MAP_CALL_H_

#include <cstdint>

#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/common/key_padding.h"
#include "spion/kernels/common/number.h"

namespace spion {

template <typename T>
struct AttentionMapCall {
  int64_t batch = 0;     // B
  int64_t heads = 0;     // H
  int64_t length = 0;    // L, any positive multiple of 16
  int64_t head_dim = 0;  // d; see common/head_dim.h
  float scale = 1.0F;    // on a GPU positive
  Float32Math float32 = Float32Math::kExact;
  KeyPadding padding;
  HeadTensor<const T> q, k;
  float* map = nullptr;             // [L, L] contiguous, overwritten
  float* row_statistics = nullptr;  // [B, H, L, 2] contiguous: a GPU's scratch; unused on the CPU
};

}  // namespace spion

#endif  // SPION_KERNELS_ATTENTION_MAP_CALL_H_
