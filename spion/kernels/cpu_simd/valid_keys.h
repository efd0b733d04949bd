// Which of a run of keys are padding. Included only by files compiled for one instruction set; a
// template over Simd for the reason that vector_math.h gives.
#ifndef SPION_KERNELS_CPU_SIMD_VALID_KEYS_H_
#define SPION_KERNELS_CPU_SIMD_VALID_KEYS_H_

#include <cstdint>

#include "spion/kernels/cpu_simd/padding.h"
#include "spion/kernels/cpu_simd/vector_math.h"

namespace spion::cpu_simd {

template <class Simd>
struct ValidKeys {
  int count;             // keys in the run
  int end;               // one past the last valid key of the run; 0 = none is valid
  const uint8_t* flags;  // [count], or null: every key before `end` is valid

  ValidKeys(const Padding& padding, int64_t first_key, int keys)
      : count(keys), end(keys), flags(nullptr) {
    const int64_t left = padding.length - first_key;
    if (left < keys) end = left < 0 ? 0 : static_cast<int>(left);
    if (padding.flags == nullptr) return;
    const uint8_t* run = padding.flags + first_key;
    while (end > 0 && run[end - 1] == 0) --end;
    for (int key = 0; key < end; ++key) {
      if (run[key] == 0) flags = run;
    }
  }

  /// Writes `value` to the rows of the padded keys of `scores` [count][lanes].
  void FillPadded(float* scores, int lanes, float value) const {
    if (end == count && flags == nullptr) return;
    for (int key = 0; key < count; ++key) {
      if (key < end && (flags == nullptr || flags[key] != 0)) continue;
      for (int lane = 0; lane < lanes; lane += Simd::kLanes) {
        Store<Simd>(scores + int64_t{key} * lanes + lane, Broadcast<Simd>(value));
      }
    }
  }
};

}  // namespace spion::cpu_simd

#endif  // SPION_KERNELS_CPU_SIMD_VALID_KEYS_H_
