// The device code, run on the CPU and held against softmax in double.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/materialised_softmax/api.h"
#include "spion/kernels/materialised_softmax/cuda/slices.h"
#include "spion/kernels/materialised_softmax/cuda/softmax.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

constexpr float kScale = 0.3F;
constexpr double kRounding = 0x1p-8;  // of bf16, relative

double Widen(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }

std::vector<BFloat16> Numbers(int64_t count, double deviation, uint64_t seed) {
  Random random(TestSeed(seed));
  std::vector<BFloat16> numbers(count);
  for (BFloat16& number : numbers) {
    const auto value = static_cast<float>(deviation * random.Normal());
    number.bits = std::bit_cast<uint16_t>(__float2bfloat16_rn(value));
  }
  return numbers;
}

/// `most`: rows of a launch.
template <int kVectors>
void Check(int64_t width, const std::vector<int32_t>& lengths, int64_t most = kMaxGridColumns) {
  SCOPED_TRACE(testing::Message() << "width " << width << ", " << most << " rows at most");
  constexpr int64_t kBatch = 3, kRows = 2;
  const int64_t count = kBatch * kRows * width;
  const std::vector<BFloat16> scores = Numbers(count, 10, 1);
  std::vector<float> probabilities(count, NAN);
  std::vector<BFloat16> rounded(count);
  const SoftmaxForward forward = {kBatch,
                                  kRows,
                                  width,
                                  kScale,
                                  lengths.empty() ? nullptr : lengths.data(),
                                  scores.data(),
                                  probabilities.data(),
                                  rounded.data()};
  InSlices(forward, most, [&](const SoftmaxForward& slice) {
    RunKernel({.grid = {static_cast<unsigned>(slice.batch * slice.rows), 1, 1},
               .threads = kScoreThreads,
               .seed = TestSeed(2)},
              [&] { SoftmaxForwardKernel<kVectors>(slice); });
    return cudaSuccess;
  });
  const std::vector<BFloat16> grad_in = Numbers(count, 1, 3);
  std::vector<BFloat16> grad = grad_in;
  const SoftmaxBackward backward = {
      kBatch, kRows, width, kScale, forward.lengths, probabilities.data(), grad.data()};
  InSlices(backward, most, [&](const SoftmaxBackward& slice) {
    RunKernel({.grid = {static_cast<unsigned>(slice.batch * slice.rows), 1, 1},
               .threads = kScoreThreads,
               .seed = TestSeed(4)},
              [&] { SoftmaxBackwardKernel<kVectors>(slice); });
    return cudaSuccess;
  });

  for (int64_t row = 0; row < kBatch * kRows; ++row) {
    const int64_t begin = row * width;
    const int64_t length =
        lengths.empty() ? width : std::clamp<int64_t>(lengths[row / kRows], 0, width);
    const auto weight = [&](int64_t c) {
      if (length == 0) return 1.0;
      return c < length ? std::exp(kScale * Widen(scores[begin + c])) : 0.0;
    };
    double sum = 0;
    double dot = 0;
    for (int64_t c = 0; c < width; ++c) sum += weight(c);
    for (int64_t c = 0; c < width; ++c) dot += weight(c) / sum * Widen(grad_in[begin + c]);
    for (int64_t c = 0; c < width; ++c) {
      const double p = weight(c) / sum;
      ASSERT_NEAR(probabilities[begin + c], p, 1e-5 * p) << "row " << row << ", column " << c;
      ASSERT_NEAR(Widen(rounded[begin + c]), p, kRounding * p) << "row " << row << ", column " << c;
      // Equal probabilities without keys do not depend on the scores.
      const double slope = length == 0 ? 0 : kScale * p * (Widen(grad_in[begin + c]) - dot);
      ASSERT_NEAR(Widen(grad[begin + c]), slope, kRounding * std::abs(slope) + 1e-6)
          << "row " << row << ", column " << c;
    }
  }
}

TEST(EmulatedSoftmaxTest, AgreesWithTheFormula) {
  Check<1>(64, {});
  Check<1>(1024, {1024, 0, 5});
  Check<2>(2048, {2048, 1, 1000});
  Check<2>(1032, {1030, 2000, -3});
  Check<4>(4096, {});
}

TEST(EmulatedSoftmaxTest, RowsThatTakeSeveralLaunches) {
  for (const int64_t most : {1, 2, 3, 5}) Check<1>(64, {64, 0, 5}, most);
}

}  // namespace
}  // namespace spion::cuda
