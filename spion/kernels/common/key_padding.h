// The key padding of a batch, as kernels take it.
#ifndef SPION_KERNELS_COMMON_KEY_PADDING_H_
#define SPION_KERNELS_COMMON_KEY_PADDING_H_

#include <cstdint>

namespace spion {

/// Which keys are padding. At most one of the two is given; none means no padding. Padded keys and
/// values must be finite all the same: they may be multiplied by probabilities of 0.
struct KeyPadding {
  const int32_t* lengths = nullptr;  // [B]: keys at and after lengths[b] are padding
  const uint8_t* valid = nullptr;    // [B, L] contiguous: 0 means padding
};

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_KEY_PADDING_H_
