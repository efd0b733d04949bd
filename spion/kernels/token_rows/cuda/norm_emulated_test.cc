// Normalisation by the device code on the CPU, held against the formulas in double. Launches are as
// the .cu files make them, with as many thread blocks as the rows of a test are worth.
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/norm_backward.cuh"
#include "spion/kernels/token_rows/cuda/norm_forward.cuh"
#include "spion/kernels/token_rows/cuda/norm_mean.cuh"
#include "spion/kernels/token_rows/cuda/norm_oracle.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

/// What the forward kernel is given and what it wrote.
template <class Param>
struct AddNormRun {
  using Branch = typename Param::BranchNumber;
  using T = typename Param::Number;
  static constexpr int kFours = Param::kFours;
  static constexpr int64_t kWidth = Param::kWidth;

  AddNormRun(int64_t rows, const std::vector<Branch>& branch, const Dropout& dropout)
      : rows(rows),
        x(Numbers<float>(rows * kWidth, /*mean=*/3, 1)),
        weight(Numbers<float>(kWidth, 1, 2)),
        bias(Numbers<float>(kWidth, 0, 3)),
        sum(branch.empty() ? 0 : rows * kWidth),
        out(rows * kWidth),
        mean(rows),
        inverse(rows) {
    const AddNormForward<Branch, T> call = {.rows = rows,
                                            .width = kWidth,
                                            .x = x.data(),
                                            .branch = branch.empty() ? nullptr : branch.data(),
                                            .dropout = dropout,
                                            .sum = sum.data(),
                                            .norm = {kNormEpsilon, weight.data(), bias.data(),
                                                     out.data(), mean.data(), inverse.data()}};
    RunKernel(NormLaunch<kFours>(rows), [&] { AddNormForwardKernel<Branch, T, kFours>(call); });
  }

  const std::vector<float>& summed() const { return sum.empty() ? x : sum; }

  int64_t rows;
  std::vector<float> x, weight, bias, sum;
  std::vector<T> out;
  std::vector<float> mean, inverse;
};

template <class Param>
struct AddNormGradientRun {
  using Branch = typename Param::BranchNumber;
  using T = typename Param::Number;
  static constexpr int64_t kWidth = Param::kWidth;

  AddNormGradientRun(const AddNormRun<Param>& forward, const std::vector<float>& grad_sum,
                     const Dropout& dropout, bool of_x, bool of_branch, int64_t repeats = 1)
      : grad_out(Numbers<T>(forward.rows * kWidth, 0, 4)),
        grad_x(of_x ? forward.rows * kWidth : 0),
        grad_branch(of_branch ? forward.rows * kWidth : 0),
        grad_parameters(2 * kWidth) {
    constexpr unsigned kSumBlocks = 3;
    std::vector<float> scratch(kSumBlocks * 2 * kWidth);
    const int64_t gradients = (forward.rows + repeats - 1) / repeats;
    const std::vector<T> given(grad_out.begin(), grad_out.begin() + gradients * kWidth);
    for (int64_t i = forward.rows * kWidth - 1; i >= 0; --i) {
      grad_out[i] = given[i / kWidth / repeats * kWidth + i % kWidth];
    }
    const AddNormBackward<Branch, T> call = {
        .rows = forward.rows,
        .width = kWidth,
        .repeats = repeats,
        .grad_sum = grad_sum.empty() ? nullptr : grad_sum.data(),
        .grad_out = given.data(),
        .sum = forward.summed().data(),
        .weight = forward.weight.data(),
        .mean = forward.mean.data(),
        .inverse_deviation = forward.inverse.data(),
        .dropout = dropout,
        .grad_x = of_x ? grad_x.data() : nullptr,
        .grad_branch = of_branch ? grad_branch.data() : nullptr,
        .grad_parameters = grad_parameters.data(),
        .scratch = scratch.data()};
    RunKernel({.grid = {kSumBlocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(6)},
              [&] { AddNormBackwardKernel<Branch, T, Param::kFours>(call); });
    RunSumParts(scratch, kSumBlocks, 2 * kWidth, grad_parameters.data());
  }

  std::vector<T> grad_out;  // of each row
  std::vector<float> grad_x;
  std::vector<Branch> grad_branch;
  std::vector<float> grad_parameters;
};

template <class Param>
class EmulatedNormTest : public testing::Test {};
TYPED_TEST_SUITE(EmulatedNormTest, NormCases);

template <class Param>
void ExpectNormed(const AddNormRun<Param>& run, const NormOracle& oracle) {
  std::vector<double> expected(oracle.y.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i] = oracle.y[i] * run.weight[i % Param::kWidth] + run.bias[i % Param::kWidth];
  }
  ExpectNear(run.out, expected, kTolerance<typename Param::Number>, "normed");
}

template <class Param>
void ExpectParameterGradients(const AddNormGradientRun<Param>& run, const NormOracle& oracle) {
  constexpr int64_t kWidth = Param::kWidth;
  std::vector<double> expected(2 * kWidth);
  for (size_t i = 0; i < oracle.y.size(); ++i) {
    expected[i % kWidth] += Widen(run.grad_out[i]) * oracle.y[i];
    expected[kWidth + i % kWidth] += Widen(run.grad_out[i]);
  }
  const double terms = static_cast<double>(oracle.deviation.size());
  ExpectNear(run.grad_parameters, expected, 1e-5 * std::sqrt(terms), "weight and bias");
}

TYPED_TEST(EmulatedNormTest, NormalisesAndDifferentiates) {
  for (const int64_t rows : {1, 31, 75}) {
    const AddNormRun<TypeParam> run(rows, {}, {});
    const NormOracle oracle(Widened(run.x), TypeParam::kWidth, run.weight);
    ExpectNormed(run, oracle);
    const AddNormGradientRun<TypeParam> gradient(run, {}, {}, /*of_x=*/true, /*of_branch=*/false);
    ExpectNear(gradient.grad_x, oracle.Slope(Widened(gradient.grad_out)), 1e-5, "x");
    ExpectParameterGradients(gradient, oracle);
  }
}

TYPED_TEST(EmulatedNormTest, TakesAGradientThatRepeats) {
  constexpr int64_t kRows = 50;
  const AddNormRun<TypeParam> run(kRows, {}, {});
  const NormOracle oracle(Widened(run.x), TypeParam::kWidth, run.weight);
  const AddNormGradientRun<TypeParam> gradient(run, {}, {}, true, false, /*repeats=*/7);
  ExpectNear(gradient.grad_x, oracle.Slope(Widened(gradient.grad_out)), 1e-5, "x");
  ExpectParameterGradients(gradient, oracle);
}

// Sequences of one part and of two, of which all, some and none of the rows count; what does not is
// no number.
TYPED_TEST(EmulatedNormTest, MeansOfSequencesWithTheirGradients) {
  constexpr int64_t kWidth = TypeParam::kWidth;
  constexpr int64_t kSequences = 4;
  for (const int64_t length : {19, 300}) {
    const std::vector<int32_t> lengths = {static_cast<int32_t>(length), 0, 5,
                                          static_cast<int32_t>(length) - 2};
    const int64_t rows = kSequences * length;
    const auto counts = [&](int64_t row) { return row % length < lengths[row / length]; };
    auto x = Numbers<float>(rows * kWidth, /*mean=*/3, 1);
    std::vector<double> counted(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      if (!counts(i / kWidth)) x[i] = std::nanf("");
      counted[i] = counts(i / kWidth) ? x[i] : 0;
    }
    const auto weight = Numbers<float>(kWidth, 1, 2);
    const auto bias = Numbers<float>(kWidth, 1, 3);
    std::vector<float> out(kSequences * kWidth), mean(rows), inverse(rows);
    std::vector<float> scratch(kSequences * MeanParts(length) * kWidth);
    const NormMean call = {
        .sequences = kSequences,
        .length = length,
        .width = kWidth,
        .x = x.data(),
        .lengths = lengths.data(),
        .norm = {kNormEpsilon, weight.data(), bias.data(), out.data(), mean.data(), inverse.data()},
        .scratch = scratch.data()};
    const auto parts = static_cast<unsigned>(kSequences * MeanParts(length));
    RunKernel({.grid = {parts, 1, 1}, .threads = kRowThreads, .seed = TestSeed(22)},
              [&] { NormMeanKernel<TypeParam::kFours>(call); });
    RunKernel({.grid = {kSequences, 1, 1},
               .threads = static_cast<unsigned>(kWidth),
               .seed = TestSeed(23)},
              [&] { NormMeanSumKernel(call); });
    const NormOracle oracle(counted, kWidth, weight);
    std::vector<double> expected(out.size());
    for (int64_t i = 0; i < rows * kWidth; ++i) {
      if (!counts(i / kWidth)) continue;
      expected[i / kWidth / length * kWidth + i % kWidth] +=
          (oracle.y[i] * weight[i % kWidth] + bias[i % kWidth]) / static_cast<double>(length);
    }
    ExpectNear(out, expected, 1e-5, "mean");

    const auto grad = Numbers<float>(kSequences * kWidth, 0, 24);
    constexpr unsigned kSumBlocks = 3;
    std::vector<float> grad_x(x.size()), grad_parameters(2 * kWidth);
    std::vector<float> sums(kSumBlocks * 2 * kWidth);
    const AddNormBackward<float, float> backward = {.rows = rows,
                                                    .width = kWidth,
                                                    .repeats = length,
                                                    .lengths = lengths.data(),
                                                    .grad_sum = nullptr,
                                                    .grad_out = grad.data(),
                                                    .sum = x.data(),
                                                    .weight = weight.data(),
                                                    .mean = mean.data(),
                                                    .inverse_deviation = inverse.data(),
                                                    .dropout = {},
                                                    .grad_x = grad_x.data(),
                                                    .grad_branch = nullptr,
                                                    .grad_parameters = grad_parameters.data(),
                                                    .scratch = sums.data()};
    RunKernel({.grid = {kSumBlocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(25)},
              [&] { AddNormBackwardKernel<float, float, TypeParam::kFours>(backward); });
    RunSumParts(sums, kSumBlocks, 2 * kWidth, grad_parameters.data());
    std::vector<double> given(x.size()), of_parameters(2 * kWidth);
    for (int64_t i = 0; i < rows * kWidth; ++i) {
      if (!counts(i / kWidth)) continue;
      given[i] = grad[i / kWidth / length * kWidth + i % kWidth];
      of_parameters[i % kWidth] += given[i] * oracle.y[i];
      of_parameters[kWidth + i % kWidth] += given[i];
    }
    ExpectNear(grad_x, oracle.Slope(given), 1e-5, "x");
    ExpectNear(grad_parameters, of_parameters, 1e-5 * std::sqrt(static_cast<double>(rows)),
               "weight and bias");
  }
}

TYPED_TEST(EmulatedNormTest, AddsADroppedBranch) {
  using Branch = typename TypeParam::BranchNumber;
  constexpr float kProbability = 0.3F;
  const Dropout dropout = DropoutOf(kProbability);
  for (const int64_t rows : {1, 31, 75}) {
    // The mask is what the sum says of a branch of ones.
    const std::vector<Branch> ones(rows * TypeParam::kWidth, Round<Branch>(1));
    const AddNormRun<TypeParam> of_ones(rows, ones, dropout);
    std::vector<double> factors(ones.size());
    for (size_t i = 0; i < factors.size(); ++i) {
      const bool is_kept = of_ones.sum[i] != of_ones.x[i];
      factors[i] = is_kept ? 1 / (1 - double{kProbability}) : 0;
      ASSERT_NEAR(of_ones.sum[i] - of_ones.x[i], factors[i], 1e-5);
    }
    ExpectFactors(factors, kProbability);
    ExpectDistinctRows(factors, TypeParam::kWidth);

    const auto branch = Numbers<Branch>(rows * TypeParam::kWidth, 0, 11);
    Drawn drawn;
    const AddNormRun<TypeParam> run(rows, branch, drawn.Of(dropout));
    std::vector<double> sum(branch.size());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = run.x[i] + factors[i] * Widen(branch[i]);
    ExpectNear(run.sum, sum, 1e-6, "sum");
    const NormOracle oracle(sum, TypeParam::kWidth, run.weight);
    ExpectNormed(run, oracle);

    const auto grad_sum = Numbers<float>(rows * TypeParam::kWidth, 0, 12);
    const AddNormGradientRun<TypeParam> gradient(run, grad_sum, drawn.Again(kProbability), true,
                                                 true);
    std::vector<double> of_x = oracle.Slope(Widened(gradient.grad_out));
    std::vector<double> of_branch(of_x.size());
    for (size_t i = 0; i < of_x.size(); ++i) {
      of_x[i] += grad_sum[i];
      of_branch[i] = factors[i] * of_x[i];
    }
    ExpectNear(gradient.grad_x, of_x, 1e-5, "x");
    ExpectNear(gradient.grad_branch, of_branch, kTolerance<Branch>, "branch");
    ExpectParameterGradients(gradient, oracle);

    // Of the branch alone, and without what the sum has beside its normalisation.
    const AddNormGradientRun<TypeParam> alone(run, {}, dropout, false, true);
    for (size_t i = 0; i < of_branch.size(); ++i) of_branch[i] -= factors[i] * grad_sum[i];
    ExpectNear(alone.grad_branch, of_branch, kTolerance<Branch>, "branch alone");
  }
}

}  // namespace
}  // namespace spion::cuda
