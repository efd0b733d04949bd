// Random numbers that are the same on every machine, compiler and standard library.
//
//   Random random(/*seed=*/1001);
//   random.Below(6);                       // 0 .. 5, each with the same probability
//   random.Between(-3, 3);                 // both ends included
//   random.Uniform();                      // [0, 1)
//   random.Shuffle(absl::MakeSpan(order));
//   Random per_item(DeriveSeed(1001, 7));  // a sequence of its own for item 7
//
// The std:: engines are portable, the std:: distributions are not; hence these. No call uses libm,
// and the only products are by powers of two, so exact: a compiler that fuses multiply and add gets
// the same doubles to the last bit. Not for secrets.
//
// Sources: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (xoshiro256**,
// seeded by splitmix64); Karney, "Sampling exactly from the normal distribution", algorithm N.
#ifndef SPION_BASE_RANDOM_H_
#define SPION_BASE_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace spion {

/// Moves `state` one step on and returns splitmix64's next output.
uint64_t SplitMix64(uint64_t& state);

/// A seed for item `index` of something that is seeded with `seed`. For one seed, different indices
/// give different seeds.
uint64_t DeriveSeed(uint64_t seed, uint64_t index);

class Random {
 public:
  using State = std::array<uint64_t, 4>;

  explicit Random(uint64_t seed);
  /// Continues where the generator that gave `state` was. `state` must not be all zeros.
  static Random FromState(const State& state) { return Random(state); }
  const State& state() const { return state_; }

  /// 64 random bits: xoshiro256**.
  uint64_t Next();
  /// An integer in [0, bound). `bound` must be positive.
  uint64_t Below(uint64_t bound);
  /// An integer in [low, high]. `low` must not be above `high`.
  int64_t Between(int64_t low, int64_t high);
  /// A multiple of 2^-53 in [0, 1).
  double Uniform();
  /// A sample of the normal distribution with mean 0 and variance 1.
  double Normal();

  /// Puts `items` into a random order, every order with the same probability (Fisher-Yates).
  template <typename T>
  void Shuffle(absl::Span<T> items) {
    for (size_t left = items.size(); left > 1; --left) {
      using std::swap;
      swap(items[left - 1], items[Below(left)]);
    }
  }

 private:
  explicit Random(const State& state) : state_(state) {}

  State state_;
};

}  // namespace spion

#endif  // SPION_BASE_RANDOM_H_
