// AdamW by the device code on the CPU, held against its formulas in double.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/optimizer/adamw.h"
#include "spion/kernels/optimizer/cuda/adamw.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

std::vector<float> Normals(int64_t count, double deviation, uint64_t seed) {
  Random random(TestSeed(seed));
  std::vector<float> numbers(count);
  for (float& number : numbers) number = static_cast<float>(deviation * random.Normal());
  return numbers;
}

struct Tensor {
  Tensor(int64_t count, uint64_t seed)
      : parameter(Normals(count, 1, seed)),
        expected(parameter.begin(), parameter.end()),
        first(count),
        second(count),
        expected_first(count),
        expected_second(count) {}
  AdamWTensor Of(const std::vector<float>& gradient) {
    return {static_cast<int64_t>(parameter.size()), parameter.data(), gradient.data(), first.data(),
            second.data()};
  }

  std::vector<float> parameter;
  std::vector<double> expected;
  std::vector<float> first, second;
  std::vector<double> expected_first, expected_second;
};

void RunEmulated(const AdamWStep& step, const std::vector<AdamWTensor>& tensors) {
  const AdamWLaunch launch = LaunchOf(step, tensors);
  RunKernel({.grid = {static_cast<unsigned>(launch.first_block[launch.count]), 1, 1},
             .threads = kAdamWThreads,
             .seed = TestSeed(3)},
            [&] { AdamWKernel(launch); });
}

TEST(EmulatedAdamWTest, IsTheFormulaOverTensorsOfAnySize) {
  constexpr double kRate = 1e-2, kDecay = 0.1, kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  constexpr double kLimit = 1, kScale = 1.5;
  std::vector<Tensor> tensors;
  for (const int64_t count : {1, 1023, 1024, 1025, 5000}) tensors.emplace_back(count, count);
  const auto rate = static_cast<float>(kRate);
  for (int t = 1; t <= 12; ++t) {
    std::vector<std::vector<float>> gradients;
    for (const Tensor& tensor : tensors) {
      gradients.push_back(Normals(static_cast<int64_t>(tensor.parameter.size()), 0.7, 100 + t));
    }
    std::vector<AdamWTensor> call;
    for (size_t i = 0; i < tensors.size(); ++i) call.push_back(tensors[i].Of(gradients[i]));
    const auto steps = static_cast<float>(t);
    RunEmulated(
        {&rate, &steps, kBeta1, kBeta2, static_cast<float>(kEpsilon), static_cast<float>(kDecay),
         static_cast<float>(kLimit), static_cast<float>(kScale)},
        call);
    for (size_t i = 0; i < tensors.size(); ++i) {
      Tensor& x = tensors[i];
      for (size_t e = 0; e < x.expected.size(); ++e) {
        const double g = std::min(std::max(kScale * gradients[i][e], -kLimit), kLimit);
        double& m = x.expected_first[e];
        double& v = x.expected_second[e];
        m = kBeta1 * m + (1 - kBeta1) * g;
        v = kBeta2 * v + (1 - kBeta2) * g * g;
        const double mean = m / (1 - std::pow(kBeta1, t));
        const double square = v / (1 - std::pow(kBeta2, t));
        x.expected[e] =
            x.expected[e] * (1 - kRate * kDecay) - kRate * mean / (std::sqrt(square) + kEpsilon);
        ASSERT_NEAR(x.parameter[e], x.expected[e], 1e-5) << t << ", " << i << ", " << e;
        ASSERT_NEAR(x.first[e], m, 1e-6);
        ASSERT_NEAR(x.second[e], v, 1e-6);
      }
    }
  }
}

TEST(EmulatedAdamWTest, WithoutMomentsMovesByTheSignOfTheGradient) {
  Tensor tensor(3, 1);
  tensor.parameter = {1, 1, 1};
  const std::vector<float> gradient = {0.5F, -0.25F, 0};
  const float rate = 0.125F;
  const float steps = 7;
  RunEmulated({&rate, &steps, 0, 0, 1e-30F, 0, 1}, {tensor.Of(gradient)});
  EXPECT_EQ(tensor.parameter, (std::vector<float>{0.875F, 1.125F, 1}));
}

TEST(EmulatedAdamWTest, AGradientThatIsNoNumberIsNotClippedAway) {
  Tensor tensor(3, 1);
  const std::vector<float> gradient = {1, std::nanf(""), std::numeric_limits<float>::infinity()};
  const float rate = 0.125F;
  const float steps = 1;
  RunEmulated({&rate, &steps, 0.9, 0.999, 1e-8F, 0, 1}, {tensor.Of(gradient)});
  EXPECT_TRUE(std::isfinite(tensor.parameter[0]));
  EXPECT_TRUE(std::isnan(tensor.parameter[1]));
  EXPECT_TRUE(std::isfinite(tensor.parameter[2]));
}

TEST(AdamWTest, RefusesWhatItCannotTake) {
  const AdamWTensor tensor = {0, nullptr, nullptr, nullptr, nullptr};
  const AdamWStep step = {nullptr, nullptr, 0.9, 0.999, 1e-8F, 0, 1};
  EXPECT_EQ(spion::cuda::Run(step, {tensor}, nullptr).message(),
            "AdamW takes tensors of 1 to 2147483648 numbers; got one of 0");
  AdamWStep other = step;
  other.beta2 = 1;
  EXPECT_EQ(spion::cuda::Run(other, {}, nullptr).message(),
            "AdamW's betas must be at least 0 and below 1; got 1");
}

}  // namespace
}  // namespace spion::cuda
