// Seeds and random vectors for tests.
#ifndef SPION_TESTING_SEED_H_
#define SPION_TESTING_SEED_H_

#include <cstdint>
#include <vector>

#include "spion/base/random.h"

namespace spion {

/// The seed of a random test: `fallback`, or the environment variable SPION_TEST_SEED. Printed, so
/// that a failure can be replayed.
uint64_t TestSeed(uint64_t fallback);

/// `count` normal numbers of the given standard deviation.
std::vector<float> NormalVector(int64_t count, double deviation, Random& random);

}  // namespace spion

#endif  // SPION_TESTING_SEED_H_
