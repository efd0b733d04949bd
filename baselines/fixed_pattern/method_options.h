// The options that the methods with a fixed pattern (baselines/registry.h) train with;
// docs/baselines.md has what share of the entries they keep.
#ifndef BASELINES_FIXED_PATTERN_METHOD_OPTIONS_H_
#define BASELINES_FIXED_PATTERN_METHOD_OPTIONS_H_

#include <cstdint>

#include "baselines/fixed_pattern/patterns.h"

namespace spion {

/// A window by the length: as many entries as SPION-C keeps at the length's tasks, as nearly as
/// whole blocks allow.
LongformerOptions LongformerMethodOptions(int64_t length);

/// Every layer has random blocks of its own, the same in every run. `layer` counts from 0.
BigBirdOptions BigBirdMethodOptions(int layer);

/// A stride of SquareRootStride. `length` and `block_size` must be positive.
SparseTransformerOptions SparseTransformerMethodOptions(
    int64_t length, int block_size = SparseTransformerOptions().block_size);

}  // namespace spion

#endif  // BASELINES_FIXED_PATTERN_METHOD_OPTIONS_H_
