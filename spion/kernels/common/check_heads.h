// The check of a call's heads that all kernels of attention share.
#ifndef SPION_KERNELS_COMMON_CHECK_HEADS_H_
#define SPION_KERNELS_COMMON_CHECK_HEADS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace spion {

/// Errors: InvalidArgument for a negative number, or more than kMaxHeads in all.
absl::Status CheckHeads(int64_t batch, int64_t heads);

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_CHECK_HEADS_H_
