#include "spion/testing/seed.h"

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "absl/strings/numbers.h"
#include "spion/base/random.h"

namespace spion {

uint64_t TestSeed(uint64_t fallback) {
  uint64_t seed = fallback;
  if (const char* text = std::getenv("SPION_TEST_SEED"); text != nullptr) {
    if (!absl::SimpleAtoi(text, &seed)) {
      std::cerr << "SPION_TEST_SEED=" << text << " is not a number; using " << fallback << "\n";
      seed = fallback;
    }
  }
  std::cout << "[     SEED ] replay with SPION_TEST_SEED=" << seed << "\n";
  return seed;
}

std::vector<float> NormalVector(int64_t count, double deviation, Random& random) {
  std::vector<float> values(count);
  for (float& x : values) x = static_cast<float>(deviation * random.Normal());
  return values;
}

}  // namespace spion
