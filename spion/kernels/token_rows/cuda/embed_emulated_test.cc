// Embedding by the device code on the CPU, held against the formulas in double.
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/embed_backward.cuh"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/norm_forward.cuh"
#include "spion/kernels/token_rows/cuda/norm_oracle.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

template <class Param>
class EmulatedEmbedTest : public testing::Test {};
TYPED_TEST_SUITE(EmulatedEmbedTest, NormCases);

TYPED_TEST(EmulatedEmbedTest, EmbedsTokensAtPositions) {
  using T = typename TypeParam::Number;
  constexpr int64_t kWidth = TypeParam::kWidth;
  constexpr int64_t kRows = 77;
  constexpr int64_t kLength = 11;
  constexpr int64_t kVocabulary = 5;
  constexpr float kProbability = 0.3F;
  const auto tokens = Numbers<float>(kVocabulary * kWidth, 10, 13);  // far from zero: dropped
  const auto positions = Numbers<float>(kLength * kWidth, 10, 14);   // numbers are seen as such
  const auto weight = Numbers<float>(kWidth, 1, 2);
  const auto bias = Numbers<float>(kWidth, 0, 3);
  std::vector<int32_t> narrow(kRows);
  std::vector<int64_t> wide(kRows);
  for (int64_t r = 0; r < kRows; ++r) {
    wide[r] = r * r % kVocabulary;
    narrow[r] = static_cast<int32_t>(wide[r]);
  }
  for (const bool is_wide : {false, true}) {
    std::vector<float> sum(kRows * kWidth), mean(kRows), inverse(kRows);
    std::vector<T> out(kRows * kWidth);
    Drawn drawn;
    const EmbedNormForward<T> call = {
        .rows = kRows,
        .width = kWidth,
        .length = kLength,
        .vocabulary = kVocabulary,
        .ids = {is_wide ? nullptr : narrow.data(), is_wide ? wide.data() : nullptr},
        .tokens = tokens.data(),
        .positions = positions.data(),
        .dropout = drawn.Of(DropoutOf(kProbability)),
        .sum = sum.data(),
        .norm = {kNormEpsilon, weight.data(), bias.data(), out.data(), mean.data(),
                 inverse.data()}};
    RunKernel(NormLaunch<TypeParam::kFours>(kRows),
              [&] { EmbedNormForwardKernel<T, TypeParam::kFours>(call); });
    std::vector<double> expected(sum.size()), factors(sum.size());
    for (int64_t i = 0; i < kRows * kWidth; ++i) {
      const int64_t row = i / kWidth;
      const int64_t column = i % kWidth;
      factors[i] = sum[i] != 0 ? 1 / (1 - double{kProbability}) : 0;
      expected[i] = factors[i] * (double{tokens[wide[row] * kWidth + column]} +
                                  positions[row % kLength * kWidth + column]);
    }
    ExpectNear(sum, expected, 1e-6, "sum");
    ExpectFactors(factors, kProbability);
    ExpectDistinctRows(factors, kWidth);
    drawn.ExpectOf(DropoutOf(kProbability));
    const NormOracle oracle(expected, kWidth, weight);
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i] = oracle.y[i] * weight[i % kWidth] + bias[i % kWidth];
    }
    ExpectNear(out, expected, kTolerance<T>, "normed");

    // Not normalised, and its gradient.
    std::vector<float> alone(sum.size());
    EmbedNormForward<T> embed = call;
    embed.sum = alone.data();
    embed.norm = {};
    RunKernel(NormLaunch<TypeParam::kFours>(kRows),
              [&] { EmbedNormForwardKernel<T, TypeParam::kFours>(embed); });
    EXPECT_EQ(alone, sum);
    const std::vector<float> grad = Numbers<float>(kRows * kWidth, 0, 15);
    std::vector<float> dropped(grad.size()), of_positions(kLength * kWidth);
    const EmbedBackward backward = {.rows = kRows,
                                    .width = kWidth,
                                    .length = kLength,
                                    .grad = grad.data(),
                                    .dropout = DropoutOf(kProbability),
                                    .out = dropped.data(),
                                    .positions = of_positions.data()};
    RunKernel({.grid = {kLength, 1, 1}, .threads = kRowThreads, .seed = TestSeed(21)},
              [&] { EmbedBackwardKernel<TypeParam::kFours>(backward); });
    std::vector<double> by_position(of_positions.size());
    for (size_t i = 0; i < factors.size(); ++i) {
      factors[i] *= grad[i];
      by_position[i % by_position.size()] += factors[i];
    }
    ExpectNear(dropped, factors, 1e-6, "gradient");
    ExpectNear(of_positions, by_position, 1e-5, "gradient of positions");
  }
}

}  // namespace
}  // namespace spion::cuda
