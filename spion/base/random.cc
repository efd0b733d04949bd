#include "spion/base/random.h"

#include <bit>

namespace spion {
namespace {

/// True with probability exp(-x * c), for x and c in [0, 1], by comparisons alone (von Neumann):
/// the chance of m steps or more is x^m / m! * c^m, so that of an even number of steps is the
/// alternating sum, the series of exp(-x * c).
bool TrueWithExpMinus(double x, double c, Random& random) {
  bool even = true;
  for (double lowest = x;; even = !even) {
    const double next = random.Uniform();
    if (next >= lowest || random.Uniform() >= c) return even;
    lowest = next;
  }
}

}  // namespace

uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t DeriveSeed(uint64_t seed, uint64_t index) {
  // Both steps are bijections of 64 bits, so no two indices of a seed meet.
  uint64_t state = SplitMix64(seed) ^ index;
  return SplitMix64(state);
}

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix64(seed);
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::Below(uint64_t bound) {
  // The top bits that `bound` needs, drawn again until they fit: no bias, and no division. Fewer
  // than two draws on average.
  const int bits = static_cast<int>(std::bit_width(bound - 1));
  if (bits == 0) return 0;
  uint64_t value;
  do {
    value = Next() >> (64 - bits);
  } while (value >= bound);
  return value;
}

int64_t Random::Between(int64_t low, int64_t high) {
  // Unsigned, as high - low may not fit an int64_t.
  const uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const uint64_t offset = width == UINT64_MAX ? Next() : Below(width + 1);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + offset);
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

double Random::Normal() {
  // The magnitude is k + x with k whole and x in [0, 1): its density exp(-(k + x)^2 / 2) is
  // exp(-k / 2) * exp(-k (k - 1) / 2) * exp(-x (2k + x) / 2), one rejection step for each factor.
  for (;;) {
    int k = 0;
    while (TrueWithExpMinus(0.5, 1.0, *this)) ++k;

    bool accepted = true;
    for (int i = 0; accepted && i < k * (k - 1); ++i) accepted = TrueWithExpMinus(0.5, 1.0, *this);
    if (!accepted) continue;

    const double x = Uniform();
    const int twice_k = 2 * k;
    const double c = (twice_k + x) / (twice_k + 2);
    for (int i = 0; accepted && i <= k; ++i) accepted = TrueWithExpMinus(x, c, *this);
    if (!accepted) continue;

    const double magnitude = k + x;
    return Next() >> 63 == 0 ? magnitude : -magnitude;
  }
}

}  // namespace spion
