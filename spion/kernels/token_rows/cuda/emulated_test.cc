// The device code, run on the CPU and held against sums in double. Launches are as the .cu files
// make them, with as many thread blocks as the rows of a test are worth.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <set>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/column_sums.cuh"
#include "spion/kernels/token_rows/cuda/gelu_dropout.cuh"
#include "spion/kernels/token_rows/cuda/norm_backward.cuh"
#include "spion/kernels/token_rows/cuda/norm_forward.cuh"
#include "spion/kernels/token_rows/cuda/philox.cuh"
#include "spion/kernels/token_rows/cuda/sum_parts.cuh"
#include "spion/kernels/token_rows/cuda/token_sums.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

constexpr float kEpsilon = 1e-5F;

template <typename T>
T Round(float value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return {std::bit_cast<uint16_t>(__float2bfloat16_rn(value))};
  } else {
    return value;
  }
}
double Widen(BFloat16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }
double Widen(float value) { return value; }

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

Dropout DropoutOf(float probability) {
  return {.probability = probability,
          .random = {.seed = TestSeed(20), .offset = uint64_t{1} << 35 | 8}};
}

/// Of factors that are not 0.
double Share(const std::vector<double>& factors) {
  double kept = 0;
  for (const double factor : factors) kept += factor != 0 ? 1 : 0;
  return kept / static_cast<double>(factors.size());
}

/// Each row of `width` factors has a mask of its own.
void ExpectDistinctRows(const std::vector<double>& factors, int64_t width) {
  std::set<std::vector<double>> rows;
  for (auto row = factors.begin(); row != factors.end(); row += width) {
    EXPECT_TRUE(rows.insert({row, row + width}).second)
        << "row " << (row - factors.begin()) / width;
  }
}

/// Each factor is 0 or 1 / (1 - p), and as many are kept as chance allows: five deviations.
void ExpectFactors(const std::vector<double>& factors, float probability) {
  for (const double factor : factors) {
    if (factor != 0) {
      ASSERT_NEAR(factor, 1 / (1 - probability), 1e-6);
    }
  }
  const double deviation =
      std::sqrt(probability * (1 - probability) / static_cast<double>(factors.size()));
  EXPECT_NEAR(Share(factors), 1 - probability, 5 * deviation + 0x1p-16);
}

/// What Philox gives one thread.
uint4 PhiloxOnce(const uint4& counter, const uint2& key) {
  uint4 words = {};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] { words = Philox(counter, key); });
  return words;
}

void ExpectWords(const uint4& words, const uint4& expected) {
  EXPECT_EQ(words.x, expected.x);
  EXPECT_EQ(words.y, expected.y);
  EXPECT_EQ(words.z, expected.z);
  EXPECT_EQ(words.w, expected.w);
}

TEST(PhiloxTest, GivesTheKnownAnswersOfItsAuthors) {
  constexpr uint32_t kOnes = 0xffffffff;
  ExpectWords(PhiloxOnce({0, 0, 0, 0}, {0, 0}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  ExpectWords(PhiloxOnce({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  ExpectWords(
      PhiloxOnce({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/// The bits that a dropout draws for eight numbers.
uint4 Drawn(const RandomState& random, int64_t eight) {
  uint4 bits = {};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1},
            [&] { bits = Dropper({.probability = 0.5F, .random = random}).Draw(eight); });
  return bits;
}

TEST(DropperTest, DrawsBySeedOffsetAndPlace) {
  constexpr uint64_t kSeed = 0x0123456789abcdef;
  constexpr uint64_t kOffset = uint64_t{0x3edcba98} << 34 | 0x40;  // of numbers: four a counter
  constexpr int64_t kEight = int64_t{3} << 32 | 7;
  const uint4 expected = PhiloxOnce({0x10, 0x3edcba98, 7, 3}, {0x89abcdef, 0x01234567});
  ExpectWords(Drawn({.seed = kSeed, .offset = kOffset}, kEight), expected);
  // As in a recorded graph.
  const auto seed = static_cast<int64_t>(kSeed);
  const auto offset = static_cast<int64_t>(kOffset - 12);
  ExpectWords(Drawn({.seed = 0, .offset = 12, .seed_on_device = &seed, .offset_on_device = &offset},
                    kEight),
              expected);
}

TEST(DropperTest, DropsWhatIsBelowTheProbability) {
  float x[2] = {3, 5};
  const auto apply = [&](float probability, uint32_t word) {
    RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
      x[0] = 3;
      x[1] = 5;
      Dropper({.probability = probability, .random = {}}).Apply(word, x[0], x[1]);
    });
  };
  apply(0.25F, 0x4000'3fff);  // 0.25 of 65536 is 0x4000
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.75F);
  apply(0.25F, 0x3fff'4000);
  EXPECT_FLOAT_EQ(x[0], 3 / 0.75F);
  EXPECT_EQ(x[1], 0);
  apply(0.1F, 6554U << 16 | 6553U);  // 6553.6, rounded
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.9F);
  apply(0, 0);
  EXPECT_EQ(x[0], 3);
  EXPECT_EQ(x[1], 5);
}

template <typename Branch, typename T, int kFoursOf>
struct Case {
  using BranchNumber = Branch;
  using Number = T;
  static constexpr int kFours = kFoursOf;
  static constexpr int64_t kWidth = kColumnsAtOnce * kFours;
};

/// Rows normalised by the formula, and their gradients.
struct NormOracle {
  NormOracle(const std::vector<double>& sum, int64_t width, const std::vector<float>& weight)
      : width(width), weight(weight), y(sum.size()), deviation(sum.size() / width) {
    for (size_t r = 0; r < deviation.size(); ++r) {
      const double* row = &sum[r * width];
      double total = 0, squares = 0;
      for (int64_t c = 0; c < width; ++c) total += row[c];
      const double mean = total / width;
      for (int64_t c = 0; c < width; ++c) squares += std::pow(row[c] - mean, 2);
      deviation[r] = std::sqrt(squares / width + kEpsilon);
      for (int64_t c = 0; c < width; ++c) y[r * width + c] = (row[c] - mean) / deviation[r];
    }
  }

  std::vector<double> Slope(const std::vector<double>& grad) const {
    std::vector<double> slope(grad.size());
    for (size_t r = 0; r < deviation.size(); ++r) {
      double sum = 0, dot = 0;
      const auto g = [&](int64_t c) { return grad[r * width + c] * weight[c]; };
      for (int64_t c = 0; c < width; ++c) {
        sum += g(c) / width;
        dot += g(c) * y[r * width + c] / width;
      }
      for (int64_t c = 0; c < width; ++c) {
        slope[r * width + c] = (g(c) - sum - y[r * width + c] * dot) / deviation[r];
      }
    }
    return slope;
  }

  int64_t width;
  std::vector<float> weight;
  std::vector<double> y;
  std::vector<double> deviation;
};

template <typename T>
std::vector<double> Widened(const std::vector<T>& numbers) {
  std::vector<double> wide(numbers.size());
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = Widen(numbers[i]);
  return wide;
}

template <typename T>
void ExpectNear(const std::vector<T>& results, const std::vector<double>& expected,
                double tolerance, const char* what) {
  ASSERT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(Widen(results[i]), expected[i], tolerance * (1 + std::abs(expected[i])))
        << what << " " << i << " of " << expected.size();
  }
}

template <int kFours>
EmulatedLaunch ForwardLaunch(int64_t rows) {
  const auto blocks = static_cast<unsigned>((rows + kRowsABlock<kFours> - 1) / kRowsABlock<kFours>);
  return {.grid = {blocks, 1, 1}, .threads = kRowThreads, .seed = TestSeed(5)};
}

void RunSumParts(const std::vector<float>& parts, unsigned count, int64_t columns, float* sums) {
  RunKernel({.grid = {static_cast<unsigned>(columns / kPartColumns), 1, 1},
             .threads = kPartColumns * kPartSlices,
             .seed = TestSeed(7)},
            [&] {
              SumPartsKernel(parts.data(), static_cast<int32_t>(count),
                             static_cast<int32_t>(columns), sums);
            });
}

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
    const AddNormForward<Branch, T> call = {
        .rows = rows,
        .width = kWidth,
        .x = x.data(),
        .branch = branch.empty() ? nullptr : branch.data(),
        .dropout = dropout,
        .sum = sum.data(),
        .norm = {kEpsilon, weight.data(), bias.data(), out.data(), mean.data(), inverse.data()}};
    RunKernel(ForwardLaunch<kFours>(rows), [&] { AddNormForwardKernel<Branch, T, kFours>(call); });
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
using Cases =
    testing::Types<Case<float, float, 1>, Case<BFloat16, BFloat16, 1>, Case<BFloat16, float, 1>,
                   Case<float, BFloat16, 2>, Case<BFloat16, float, 4>, Case<BFloat16, BFloat16, 8>>;
TYPED_TEST_SUITE(EmulatedNormTest, Cases);

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
    const AddNormRun<TypeParam> run(rows, branch, dropout);
    std::vector<double> sum(branch.size());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = run.x[i] + factors[i] * Widen(branch[i]);
    ExpectNear(run.sum, sum, 1e-6, "sum");
    const NormOracle oracle(sum, TypeParam::kWidth, run.weight);
    ExpectNormed(run, oracle);

    const auto grad_sum = Numbers<float>(rows * TypeParam::kWidth, 0, 12);
    const AddNormGradientRun<TypeParam> gradient(run, grad_sum, dropout, true, true);
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

TYPED_TEST(EmulatedNormTest, EmbedsTokensAtPositions) {
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
    const EmbedNormForward<T> call = {
        .rows = kRows,
        .width = kWidth,
        .length = kLength,
        .vocabulary = kVocabulary,
        .ids = {is_wide ? nullptr : narrow.data(), is_wide ? wide.data() : nullptr},
        .tokens = tokens.data(),
        .positions = positions.data(),
        .dropout = DropoutOf(kProbability),
        .sum = sum.data(),
        .norm = {kEpsilon, weight.data(), bias.data(), out.data(), mean.data(), inverse.data()}};
    RunKernel(ForwardLaunch<TypeParam::kFours>(kRows),
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
    const NormOracle oracle(expected, kWidth, weight);
    for (size_t i = 0; i < expected.size(); ++i) {
      expected[i] = oracle.y[i] * weight[i % kWidth] + bias[i % kWidth];
    }
    ExpectNear(out, expected, kTolerance<T>, "normed");
  }
}

template <typename T>
class EmulatedTest : public testing::Test {};
using Numbers32And16 = testing::Types<float, BFloat16>;
TYPED_TEST_SUITE(EmulatedTest, Numbers32And16);

template <typename T>
void ExpectColumnSums(int64_t rows, unsigned blocks) {
  constexpr int64_t kWidth = 192;
  const auto x = Numbers<T>(rows * kWidth, 0.5, 8);
  std::vector<float> scratch(blocks * kWidth), sums(kWidth);
  const ColumnSums<T> call = {rows, kWidth, x.data(), sums.data(), scratch.data()};
  RunKernel(
      {.grid = {blocks, kWidth / kColumnsAtOnce, 1}, .threads = kRowThreads, .seed = TestSeed(9)},
      [&] { ColumnSumsKernel<T>(call); });
  if (blocks > 1) RunSumParts(scratch, blocks, kWidth, sums.data());
  std::vector<double> expected(kWidth);
  for (int64_t i = 0; i < rows * kWidth; ++i) expected[i % kWidth] += Widen(x[i]);
  ExpectNear(sums, expected, 1e-5, "sum");
}

TYPED_TEST(EmulatedTest, AddsUpColumns) {
  for (const int64_t rows : {1, 17, 700}) {
    ExpectColumnSums<TypeParam>(rows, 2);
    ExpectColumnSums<TypeParam>(rows, 1);
  }
}

/// Which token each of `rows` rows has.
using TokenOfRow = int64_t (*)(int64_t row, int64_t vocabulary);

void ExpectTokenSums(int64_t rows, int64_t width, int64_t vocabulary, TokenOfRow token_of_row) {
  const auto x = Numbers<float>(rows * width, 0.5, 15);
  std::vector<int64_t> ids(rows);
  std::vector<double> expected(vocabulary * width);
  for (int64_t r = 0; r < rows; ++r) {
    ids[r] = token_of_row(r, vocabulary);
    for (int64_t c = 0; c < width; ++c) expected[ids[r] * width + c] += x[r * width + c];
  }
  const auto blocks = static_cast<unsigned>(TokenSumBlocks(rows));
  std::vector<float> scratch(blocks * vocabulary * width, NAN), sums(vocabulary * width);
  const TokenSums call = {.rows = rows,
                          .width = width,
                          .vocabulary = vocabulary,
                          .ids = {nullptr, ids.data()},
                          .x = x.data(),
                          .sums = sums.data(),
                          .scratch = scratch.data()};
  RunKernel({.grid = {blocks, static_cast<unsigned>(width / kTokenColumns), 1},
             .threads = kSortThreads,
             .seed = TestSeed(16)},
            [&] { TokenSumsKernel(call); });
  RunSumParts(scratch, blocks, vocabulary * width, sums.data());
  ExpectNear(sums, expected, 1e-4, "sum");
}

TEST(EmulatedTokenSumsTest, AddsUpTheRowsOfEachToken) {
  const TokenOfRow spread = [](int64_t row, int64_t vocabulary) {
    return row * 7919 % 104729 % vocabulary;
  };
  ExpectTokenSums(1, 64, 3, spread);
  ExpectTokenSums(1030, 128, 20, spread);  // runs of more than a warp's 32 rows
  ExpectTokenSums(1500, 64, 256, spread);  // runs of a few rows
  ExpectTokenSums(600, 64, 1024, spread);  // fewer rows than tokens
}

TEST(EmulatedTokenSumsTest, OneTokenMayHaveMostRows) {
  const TokenOfRow all = [](int64_t, int64_t vocabulary) { return vocabulary - 1; };
  ExpectTokenSums(2048, 64, 9, all);
  const TokenOfRow most = [](int64_t row, int64_t) { return int64_t{row % 100 == 0 ? 3 : 5}; };
  ExpectTokenSums(1024, 64, 9, most);
  ExpectTokenSums(1000, 64, 6, most);
}

TEST(EmulatedTokenSumsTest, SortsAnyKeys) {
  Random random(TestSeed(17));
  std::vector<uint32_t> keys(kSortThreads);
  for (uint32_t& key : keys) key = static_cast<uint32_t>(random.Normal() * 1e8);
  std::vector<uint32_t> expected = keys;
  std::sort(expected.begin(), expected.end());
  RunKernel({.grid = {1, 1, 1}, .threads = kSortThreads, .seed = TestSeed(18)}, [&] {
    __shared__ uint32_t buffer[2][kSortThreads];
    keys[threadIdx.x] = SortKeys(keys[threadIdx.x], buffer);
  });
  EXPECT_EQ(keys, expected);
}

TEST(NormalProbabilityTest, IsThatOfTheErrorFunction) {
  constexpr int kSteps = 12000;
  std::vector<float> results(2 * kSteps + 1);
  const auto at = [](int i) { return static_cast<float>(i - kSteps) / 1000; };
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    for (int i = 0; i < results.size(); ++i) results[i] = NormalProbability(at(i));
  });
  for (int i = 0; i < results.size(); ++i) {
    const double x = at(i);
    const double expected = 0.5 * std::erfc(-x / std::numbers::sqrt2);
    ASSERT_NEAR(results[i], expected, 1.5e-7) << x;
    ASSERT_NEAR(x * results[i], x * expected, 1.5e-7 * std::max(1.0, x)) << x;
  }
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    EXPECT_EQ(NormalProbability(-1e30F), 0);
    EXPECT_EQ(NormalProbability(1e30F), 1);
    EXPECT_EQ(NormalProbability(0), 0.5F);
  });
}

TYPED_TEST(EmulatedTest, GeluThenDropout) {
  using T = TypeParam;
  constexpr float kProbability = 0.2F;
  const Dropout dropout = DropoutOf(kProbability);
  for (const int64_t count : {8, 4096, 7000}) {
    auto x = Numbers<T>(count, 0, 18);
    for (int64_t i = 0; i < count; ++i) {
      if (Widen(x[i]) == 0) x[i] = Round<T>(1);  // whose GELU tells the mask
    }
    const auto grad_out = Numbers<T>(count, 0, 19);
    std::vector<T> out(count), grad_x(count);
    const auto blocks = static_cast<unsigned>((count / 8 + kEightsABlock - 1) / kEightsABlock);
    const EmulatedLaunch launch = {
        .grid = {blocks, 1, 1}, .threads = kGeluThreads, .seed = TestSeed(20)};
    const GeluDropoutForward<T> forward = {count, x.data(), dropout, out.data()};
    RunKernel(launch, [&] { GeluDropoutForwardKernel<T>(forward); });
    const GeluDropoutBackward<T> backward = {count, grad_out.data(), x.data(), dropout,
                                             grad_x.data()};
    RunKernel(launch, [&] { GeluDropoutBackwardKernel<T>(backward); });

    std::vector<double> factors(count), expected(count), slope(count);
    for (int64_t i = 0; i < count; ++i) {
      const double v = Widen(x[i]);
      const double probability = 0.5 * (1 + std::erf(v / std::numbers::sqrt2));
      const double density = std::exp(-v * v / 2) / std::sqrt(2 * std::numbers::pi);
      factors[i] = Widen(out[i]) != 0 ? 1 / (1 - double{kProbability}) : 0;
      expected[i] = factors[i] * v * probability;
      slope[i] = factors[i] * Widen(grad_out[i]) * (probability + v * density);
    }
    ExpectNear(out, expected, kTolerance<T>, "gelu");
    ExpectNear(grad_x, slope, kTolerance<T>, "x");
    ExpectFactors(factors, kProbability);
    if (count % 128 == 0) ExpectDistinctRows(factors, 128);
  }
}

}  // namespace
}  // namespace spion::cuda
