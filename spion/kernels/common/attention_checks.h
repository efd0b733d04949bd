// The checks of a call that all kernels of attention share. Errors: InvalidArgument.
#ifndef SPION_KERNELS_COMMON_ATTENTION_CHECKS_H_
#define SPION_KERNELS_COMMON_ATTENTION_CHECKS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace spion {

/// Neither is negative, and there are kMaxHeads in all at most.
absl::Status CheckHeads(int64_t batch, int64_t heads);

/// One that TakesHeadDim.
absl::Status CheckHeadDim(int64_t d);

/// The factor of scores is positive and finite: kernels look for the largest score before they
/// scale.
absl::Status CheckScale(float scale);

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_ATTENTION_CHECKS_H_
