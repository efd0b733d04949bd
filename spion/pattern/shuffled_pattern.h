// A pattern with as many blocks at random places: what a pattern is compared with to see whether it
// matters which blocks it keeps.
//
//   Random random(/*seed=*/1001);
//   const BlockPattern control = ShuffledPattern(pattern, random);
//   control.kept_blocks() == pattern.kept_blocks();  // true
#ifndef SPION_PATTERN_SHUFFLED_PATTERN_H_
#define SPION_PATTERN_SHUFFLED_PATTERN_H_

#include "spion/base/random.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// The diagonal, and off it as many blocks as `pattern` has there, every choice of them with the
/// same probability; of `pattern` nothing but sizes and this number is looked at. The same on every
/// machine for one state of `random`.
BlockPattern ShuffledPattern(const BlockPattern& pattern, Random& random);

}  // namespace spion

#endif  // SPION_PATTERN_SHUFFLED_PATTERN_H_
