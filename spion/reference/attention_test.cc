#include "spion/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/pattern/block_pattern.h"

namespace spion::reference {
namespace {

std::vector<double> Normal(int64_t count, Random& random) {
  std::vector<double> values(count);
  for (double& x : values) x = random.Normal();
  return values;
}

BlockPattern Pattern(int blocks_per_side, int block_size, std::vector<Block> blocks) {
  return *BlockPattern::FromBlocks(blocks_per_side, block_size, blocks);
}

/// B = 2, H = 2, L = 6, d = 3, 3 x 3 blocks of 2, another pattern for each head.
Input SmallInput(PrunedScore pruned) {
  Random random(17);
  Input input = {.batch = 2,
                 .heads = 2,
                 .length = 6,
                 .head_dim = 3,
                 .scale = 0.7,
                 .pruned = pruned,
                 .patterns = {Pattern(3, 2, {{0, 1}, {2, 1}}), Pattern(3, 2, {{1, 0}, {1, 2}})},
                 .lengths = {},
                 .valid = {},
                 .q = {},
                 .k = {},
                 .v = {}};
  const int64_t size = input.batch * input.heads * input.length * input.head_dim;
  input.q = Normal(size, random);
  input.k = Normal(size, random);
  input.v = Normal(size, random);
  return input;
}

TEST(ReferenceAttentionTest, TwoByTwoByHand) {
  // q . k is 0 and log 3 for the first query, 0 and 0 for the second; v = 1 and 5.
  const double log3 = std::log(3.0);
  Input input = {.batch = 1,
                 .heads = 1,
                 .length = 2,
                 .head_dim = 1,
                 .scale = 2,
                 .pruned = PrunedScore::kExcluded,
                 .patterns = {Pattern(2, 1, {{0, 1}, {1, 0}})},
                 .lengths = {},
                 .valid = {},
                 .q = {1, 0},
                 .k = {0, log3 / 2},
                 .v = {1, 5}};
  Output all = Forward(input);
  EXPECT_NEAR(all.out[0], 0.25 * 1 + 0.75 * 5, 1e-15);
  EXPECT_NEAR(all.out[1], 0.5 * 1 + 0.5 * 5, 1e-15);
  EXPECT_NEAR(all.log_sum_exp[0], std::log(4.0), 1e-15);

  // dP = dO v = (1, 5); dS = p (dP - 4) = (-0.75, 0.75); times the scale for dQ and dK.
  const Gradients gradients = Backward(input, {1, 0});
  EXPECT_NEAR(gradients.v[0], 0.25, 1e-15);
  EXPECT_NEAR(gradients.v[1], 0.75, 1e-15);
  EXPECT_NEAR(gradients.q[0], 2 * 0.75 * log3 / 2, 1e-15);
  EXPECT_NEAR(gradients.q[1], 0, 1e-15);
  EXPECT_NEAR(gradients.k[0], 2 * -0.75, 1e-15);
  EXPECT_NEAR(gradients.k[1], 2 * 0.75, 1e-15);

  // Only the diagonal kept, pruned scores as zeros: 1 / (1 + 1) and 3 / (3 + 1) ... of the kept
  // key.
  input.patterns = {Pattern(2, 1, {})};
  input.pruned = PrunedScore::kZero;
  input.q = {1, 1};
  const Output diagonal = Forward(input);
  EXPECT_NEAR(diagonal.out[0], 0.5 * 1, 1e-15);
  EXPECT_NEAR(diagonal.out[1], 0.75 * 5, 1e-15);

  input.pruned = PrunedScore::kExcluded;
  EXPECT_EQ(Forward(input).out, input.v);
}

/// The formula of the method's reference implementation word for word: m_r over C_r and 0, scores
/// minus 1e6 on padding, and Z = sum over C_r + (L - |C_r|) exp(0 - m_r).
std::vector<double> LiteralForward(const Input& input) {
  std::vector<double> out(input.v.size(), 0.0);
  const int64_t d = input.head_dim;
  for (int64_t bh = 0; bh < input.batch * input.heads; ++bh) {
    const BlockPattern& pattern = input.patterns[bh % input.heads];
    for (int64_t r = 0; r < input.length; ++r) {
      std::vector<double> s;
      std::vector<int64_t> columns;
      for (int64_t c = 0; c < input.length; ++c) {
        if (!pattern.contains(r / pattern.block_size(), c / pattern.block_size())) continue;
        double dot = 0;
        for (int64_t i = 0; i < d; ++i) {
          dot +=
              input.q[(bh * input.length + r) * d + i] * input.k[(bh * input.length + c) * d + i];
        }
        const bool padded = !input.lengths.empty() && c >= input.lengths[bh / input.heads];
        s.push_back(dot * input.scale - (padded ? 1e6 : 0));
        columns.push_back(c);
      }
      const double m = std::max(0.0, *std::max_element(s.begin(), s.end()));
      double z = static_cast<double>(input.length - static_cast<int64_t>(s.size())) * std::exp(-m);
      for (const double x : s) z += std::exp(x - m);
      for (size_t j = 0; j < s.size(); ++j) {
        for (int64_t i = 0; i < d; ++i) {
          out[(bh * input.length + r) * d + i] +=
              std::exp(s[j] - m) / z * input.v[(bh * input.length + columns[j]) * d + i];
        }
      }
    }
  }
  return out;
}

TEST(ReferenceAttentionTest, PrunedAsZeroIsTheLiteralFormula) {
  Input input = SmallInput(PrunedScore::kZero);
  for (const std::vector<int32_t>& lengths : {std::vector<int32_t>{}, std::vector<int32_t>{1, 5}}) {
    input.lengths = lengths;
    const std::vector<double> literal = LiteralForward(input);
    const std::vector<double> out = Forward(input).out;
    for (size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], literal[i], 1e-14);
  }
}

TEST(ReferenceAttentionTest, AllBlocksIsOrdinarySoftmaxUnderBothMeanings) {
  Input input = SmallInput(PrunedScore::kExcluded);
  input.patterns = {*BlockPattern::FromMask(3, 2, std::vector<uint8_t>(9, 1))};
  const std::vector<double> out = Forward(input).out;
  const int64_t d = input.head_dim;
  for (int64_t r = 0; r < input.batch * input.heads * input.length; ++r) {
    const int64_t first = r / input.length * input.length;
    std::vector<double> sum(d, 0.0);
    double z = 0;
    for (int64_t c = first; c < first + input.length; ++c) {
      double dot = 0;
      for (int64_t i = 0; i < d; ++i) dot += input.q[r * d + i] * input.k[c * d + i];
      const double e = std::exp(input.scale * dot);
      z += e;
      for (int64_t i = 0; i < d; ++i) sum[i] += e * input.v[c * d + i];
    }
    for (int64_t i = 0; i < d; ++i) EXPECT_NEAR(out[r * d + i], sum[i] / z, 1e-14);
  }
  input.pruned = PrunedScore::kZero;
  EXPECT_EQ(Forward(input).out, out);
}

TEST(ReferenceAttentionTest, RowsWithNothingValidAreZeroWithZeroGradients) {
  for (const PrunedScore pruned : {PrunedScore::kZero, PrunedScore::kExcluded}) {
    Input input = SmallInput(pruned);
    input.valid.assign(input.batch * input.length, 1);
    std::fill_n(input.valid.begin(), input.length, uint8_t{0});  // all of example 0
    const Output output = Forward(input);
    Random random(5);
    const Gradients gradients = Backward(input, Normal(input.v.size(), random));
    const int64_t example = input.heads * input.length * input.head_dim;
    for (int64_t i = 0; i < example; ++i) {
      EXPECT_EQ(output.out[i], 0);
      EXPECT_EQ(gradients.q[i], 0);
      EXPECT_EQ(gradients.k[i], 0);
      EXPECT_EQ(gradients.v[i], 0);
    }
    // log Z of the pruned zeros alone; nothing at all where they are excluded.
    const double lse =
        pruned == PrunedScore::kZero ? std::log(2.0) : std::numeric_limits<double>::infinity();
    EXPECT_EQ(output.log_sum_exp[0], lse);
  }
}

enum class Pad { kNone, kLengths, kMask };

class ReferenceGradientTest : public testing::TestWithParam<std::tuple<PrunedScore, Pad>> {};

TEST_P(ReferenceGradientTest, AgreesWithFiniteDifferences) {
  const auto [pruned, pad] = GetParam();
  Input input = SmallInput(pruned);
  if (pad == Pad::kLengths) input.lengths = {3, 6};
  if (pad == Pad::kMask) input.valid = {0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0};
  Random random(23);
  const std::vector<double> grad_out = Normal(input.v.size(), random);
  const Gradients gradients = Backward(input, grad_out);

  const auto loss = [&] {
    const std::vector<double> out = Forward(input).out;
    double sum = 0;
    for (size_t i = 0; i < out.size(); ++i) sum += out[i] * grad_out[i];
    return sum;
  };
  // Central differences: an error of step^2 beside a rounding of 1e-15 / step.
  constexpr double kStep = 1e-5;
  constexpr double kTolerance = 1e-8;
  const auto check = [&](std::vector<double>& x, const std::vector<double>& gradient) {
    for (size_t i = 0; i < x.size(); ++i) {
      const double saved = x[i];
      x[i] = saved + kStep;
      const double above = loss();
      x[i] = saved - kStep;
      const double below = loss();
      x[i] = saved;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), kTolerance) << "element " << i;
    }
  };
  {
    SCOPED_TRACE("q");
    check(input.q, gradients.q);
  }
  {
    SCOPED_TRACE("k");
    check(input.k, gradients.k);
  }
  {
    SCOPED_TRACE("v");
    check(input.v, gradients.v);
  }
}

std::string GradientTestName(const testing::TestParamInfo<std::tuple<PrunedScore, Pad>>& info) {
  const auto [pruned, pad] = info.param;
  return std::string(pruned == PrunedScore::kZero ? "Zero" : "Excluded") +
         (pad == Pad::kNone      ? "Unpadded"
          : pad == Pad::kLengths ? "Lengths"
                                 : "Mask");
}

INSTANTIATE_TEST_SUITE_P(All, ReferenceGradientTest,
                         testing::Combine(testing::Values(PrunedScore::kZero,
                                                          PrunedScore::kExcluded),
                                          testing::Values(Pad::kNone, Pad::kLengths, Pad::kMask)),
                         GradientTestName);

TEST(ReferenceMapTest, RowsAreMeansOfProbabilities) {
  Input input = SmallInput(PrunedScore::kZero);
  input.lengths = {4, 6};
  const std::vector<double> map = MeanAttentionMap(input);
  for (int64_t r = 0; r < input.length; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < input.length; ++c) sum += map[r * input.length + c];
    EXPECT_NEAR(sum, 1, 1e-14);
  }
  // With v the identity, attention's output is its probabilities.
  Input identity = input;
  identity.patterns = {*BlockPattern::FromMask(3, 2, std::vector<uint8_t>(9, 1))};
  identity.head_dim = input.length;
  const auto widen = [&](const std::vector<double>& x) {
    std::vector<double> wide(input.batch * input.heads * input.length * input.length, 0.0);
    for (size_t i = 0; i < x.size(); ++i) {
      wide[i / input.head_dim * input.length + i % input.head_dim] = x[i];
    }
    return wide;
  };
  identity.q = widen(input.q);
  identity.k = widen(input.k);
  identity.v.assign(identity.q.size(), 0.0);
  for (int64_t row = 0; row < input.batch * input.heads * input.length; ++row) {
    identity.v[row * input.length + row % input.length] = 1;
  }
  const std::vector<double> p = Forward(identity).out;
  const int64_t heads = input.batch * input.heads;
  const int64_t square = input.length * input.length;
  for (int64_t i = 0; i < square; ++i) {
    double mean = 0;
    for (int64_t head = 0; head < heads; ++head) mean += p[head * square + i];
    EXPECT_NEAR(map[i], mean / static_cast<double>(heads), 1e-14);
  }
}

}  // namespace
}  // namespace spion::reference
