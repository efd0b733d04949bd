// What the tests of the device code on the CPU share: numbers, dropouts, comparisons.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_EMULATED_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_EMULATED_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/sum_parts.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {

template <typename T>
T Round(float value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {std::bit_cast<uint16_t>(__float2bfloat16_rn(value))};
  } else {
    return value;
  }
}
inline double Widen(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }
inline double Widen(float value) { return value; }

// What rounding the result to T, or adding in fp32, may cost relative to the largest result.
template <typename T>
constexpr double kTolerance = std::is_same_v<T, BFloat16> ? 0x1p-8 : 1e-5;

/// 16-byte aligned numbers around `mean`.
template <typename T>
std::vector<T> Numbers(int64_t count, double mean, uint64_t seed) {
  Random random(TestSeed(seed));
  std::vector<T> numbers(count);
  for (T& number : numbers) number = Round<T>(static_cast<float>(mean + random.Normal()));
  return numbers;
}

inline Dropout DropoutOf(float probability) {
  return {.probability = probability,
          .random = {.seed = TestSeed(20), .offset = uint64_t{1} << 35 | 8}};
}

/// What a forward kernel leaves for its backward kernel.
class Drawn {
 public:
  /// The dropout, asking for it.
  Dropout Of(Dropout dropout) {
    dropout.random.drawn = numbers_;
    return dropout;
  }
  /// The backward kernel's.
  Dropout Again(float probability) const {
    return {.probability = probability,
            .random = {.seed_on_device = numbers_, .offset_on_device = numbers_ + 1}};
  }

  void ExpectOf(const Dropout& dropout) const {
    EXPECT_EQ(static_cast<uint64_t>(numbers_[0]), dropout.random.seed);
    EXPECT_EQ(static_cast<uint64_t>(numbers_[1]), dropout.random.offset);
  }

 private:
  int64_t numbers_[2] = {-1, -1};
};

/// Of factors that are not 0.
inline double Share(const std::vector<double>& factors) {
  double kept = 0;
  for (const double factor : factors) kept += factor != 0 ? 1 : 0;
  return kept / static_cast<double>(factors.size());
}

/// Each row of `width` factors has a mask of its own.
inline void ExpectDistinctRows(const std::vector<double>& factors, int64_t width) {
  std::set<std::vector<double>> rows;
  for (auto row = factors.begin(); row != factors.end(); row += width) {
    EXPECT_TRUE(rows.insert({row, row + width}).second)
        << "row " << (row - factors.begin()) / width;
  }
}

/// Each factor is 0 or 1 / (1 - p), and as many are kept as chance allows: five deviations.
inline void ExpectFactors(const std::vector<double>& factors, float probability) {
  for (const double factor : factors) {
    if (factor != 0) {
      ASSERT_NEAR(factor, 1 / (1 - probability), 1e-6);
    }
  }
  const double deviation =
      std::sqrt(probability * (1 - probability) / static_cast<double>(factors.size()));
  EXPECT_NEAR(Share(factors), 1 - probability, 5 * deviation + 0x1p-16);
}

template <typename T>
std::vector<double> Widened(const std::vector<T>& numbers) {
  std::vector<double> wide(numbers.size());
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = Widen(numbers[i]);
  return wide;
}

template <typename T>
inline void ExpectNear(const std::vector<T>& results, const std::vector<double>& expected,
                       double tolerance, const char* what) {
  ASSERT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(Widen(results[i]), expected[i], tolerance * (1 + std::abs(expected[i])))
        << what << " " << i << " of " << expected.size();
  }
}

/// The second launch of a sum.
template <class Place = SamePlace>
void RunSumParts(const std::vector<float>& parts, unsigned count, int64_t columns, float* sums) {
  RunKernel({.grid = {static_cast<unsigned>(columns / kPartColumns), 1, 1},
             .threads = kPartColumns * kPartSlices,
             .seed = TestSeed(7)},
            [&] {
              SumPartsKernel<Place>(parts.data(), static_cast<int32_t>(count),
                                    static_cast<int32_t>(columns), sums);
            });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_EMULATED_H_
