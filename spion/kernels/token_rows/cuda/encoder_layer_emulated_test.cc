// The passes of an encoder layer by the device code on the CPU, held against the formulas in
// double.
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/layer_oracle.h"
#include "spion/kernels/token_rows/cuda/post_attention_backward.cuh"
#include "spion/kernels/token_rows/cuda/pre_attention.cuh"
#include "spion/kernels/token_rows/encoder_layer.h"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

constexpr float kEpsilon = 1e-5F;
constexpr int64_t kRowsOfTests[] = {1, 16, 300};
constexpr int64_t kBlocks = 2;  // so of 300 rows the first has two rounds, the second of them cut

/// fp32 numbers in memory, and as the oracle takes them.
struct Floats {
  Floats(int64_t rows, int64_t columns, double scale, uint64_t seed)
      : numbers(Numbers<float>(rows * columns, 0, seed)), matrix(rows, columns) {
    for (float& number : numbers) number *= static_cast<float>(scale);
    matrix.values = Widened(numbers);
  }
  const float* data() const { return numbers.data(); }

  std::vector<float> numbers;
  Matrix matrix;
};

struct Rounded16 {
  Rounded16(int64_t rows, int64_t columns, uint64_t seed)
      : numbers(Numbers<BFloat16>(rows * columns, 0, seed)), matrix(rows, columns) {
    matrix.values = Widened(numbers);
  }
  const BFloat16* data() const { return numbers.data(); }

  std::vector<BFloat16> numbers;
  Matrix matrix;
};

/// What kernel wrote over `written` numbers that were NaN.
template <typename T>
std::vector<T> Unwritten(int64_t count) {
  return std::vector<T>(count, Round<T>(std::nanf("")));
}

// A number that lies between two of bf16 may be rounded either way: 2^-8 of the largest operand, in
// one term of a sum.
template <typename T>
void ExpectClose(const std::vector<T>& results, const Matrix& expected, const char* what) {
  ASSERT_EQ(results.size(), expected.values.size()) << what;
  double largest = 0, error = 0, size = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    const double difference = std::abs(Widen(results[i]) - expected.values[i]);
    largest = std::max(largest, std::isnan(difference) ? HUGE_VAL : difference);
    error += difference * difference;
    size += expected.values[i] * expected.values[i];
  }
  EXPECT_LE(std::sqrt(error / size), 2e-3) << what;
  EXPECT_LE(largest, 2e-2 * (1 + std::sqrt(size / results.size()))) << what;
}

std::vector<float> Slice(const std::vector<float>& all, int64_t first, const Matrix& like) {
  return {all.begin() + first, all.begin() + first + like.rows * like.columns};
}

/// The second launch of a sum.
template <class Place>
std::vector<float> Summed(const std::vector<float>& scratch, int64_t rows, int64_t floats) {
  std::vector<float> sums = Unwritten<float>(floats);
  RunSumParts<Place>(scratch, static_cast<unsigned>(LayerBlocks(rows, kBlocks)), floats,
                     sums.data());
  return sums;
}

EmulatedLaunch LaunchOf(int64_t rows, int bytes) {
  return {.grid = {static_cast<unsigned>(LayerBlocks(rows, kBlocks)), 1, 1},
          .threads = kLayerThreads,
          .shared_bytes = bytes,
          .seed = TestSeed(31)};
}

struct Norm {
  explicit Norm(uint64_t seed)
      : weight(1, kLayerWidth, 1, seed), bias(1, kLayerWidth, 1, seed + 1) {}
  LayerNormParameters call() const { return {kEpsilon, weight.data(), bias.data()}; }
  Matrix Of(const Matrix& x) const {
    return Affine(Standardised(x, kEpsilon), weight.matrix, bias.matrix);
  }

  Floats weight;
  Floats bias;
};

struct Linear {
  Linear(int64_t out, int64_t in, uint64_t seed)
      : weight(out, in, 1 / std::sqrt(static_cast<double>(in)), seed), bias(1, out, 1, seed + 1) {}
  LinearParameters call() const { return {weight.data(), bias.data()}; }
  Matrix Of(const Matrix& x) const { return PlusRow(Product(x, weight.matrix), bias.matrix); }
  Matrix Back(const Matrix& grad) const { return Product(grad, Transposed(weight.matrix)); }

  Floats weight;
  Floats bias;
};

Matrix WeightGradient(const Matrix& grad, const Matrix& x) {
  return Product(Transposed(grad), Transposed(x));
}

// ---- Before the attention ----

TEST(EmulatedPreAttentionTest, IsNormAndProjection) {
  for (const int64_t rows : kRowsOfTests) {
    const Floats x(rows, kLayerWidth, 2, 1);
    const Norm norm(2);
    const Linear qkv(kLayerQkv, kLayerWidth, 4);
    std::vector<BFloat16> out = Unwritten<BFloat16>(rows * kLayerQkv);
    const PreAttentionForward call = {rows, x.data(), norm.call(), qkv.call(), out.data()};
    RunKernel(LaunchOf(rows, PreAttentionShared::kForwardBytes),
              [&] { PreAttentionForwardKernel(call); });
    ExpectClose(out, InBF16(qkv.Of(norm.Of(x.matrix))), "qkv");
  }
}

TEST(EmulatedPreAttentionTest, Gradients) {
  using At = PreAttentionGradients;
  for (const int64_t rows : kRowsOfTests) {
    for (const bool has_beside : {false, true}) {
      const Floats x(rows, kLayerWidth, 2, 1);
      const Norm norm(2);
      const Linear qkv(kLayerQkv, kLayerWidth, 4);
      const Rounded16 grad_out(rows, kLayerQkv, 6);
      const Floats beside(rows, kLayerWidth, 1, 7);
      std::vector<float> grad_x = Unwritten<float>(rows * kLayerWidth);
      std::vector<float> scratch = Unwritten<float>(kBlocks * At::kFloats);
      const PreAttentionBackward call = {.rows = rows,
                                         .grad_out = grad_out.data(),
                                         .grad_beside = has_beside ? beside.data() : nullptr,
                                         .x = x.data(),
                                         .norm = norm.call(),
                                         .qkv = qkv.call(),
                                         .grad_x = grad_x.data(),
                                         .grad_parameters = nullptr,
                                         .scratch = scratch.data()};
      RunKernel(LaunchOf(rows, PreAttentionShared::kBackwardBytes),
                [&] { PreAttentionBackwardKernel(call); });
      const std::vector<float> sums = Summed<PreAttentionPlace>(scratch, rows, At::kFloats);
      const NormGradient through =
          GradientOfNorm(x.matrix, kEpsilon, norm.weight.matrix, qkv.Back(grad_out.matrix));
      ExpectClose(grad_x, has_beside ? Plus(through.x, beside.matrix) : through.x, "x");
      const Matrix weight = WeightGradient(grad_out.matrix, norm.Of(x.matrix));
      ExpectClose(Slice(sums, At::kQkvWeight, weight), weight, "qkv weight");
      const Matrix bias = SumOfRows(grad_out.matrix);
      ExpectClose(Slice(sums, At::kQkvBias, bias), bias, "qkv bias");
      ExpectClose(Slice(sums, At::kNormWeight, through.weight), through.weight, "norm weight");
      ExpectClose(Slice(sums, At::kNormBias, through.bias), through.bias, "norm bias");
    }
  }
}

// ---- After the attention ----

/// What a dropout multiplies numbers by, [rows, numbers] of those of the draws from `first_draw`:
/// of 32 numbers the fours from 4 c and from 16 + 4 c on share the c-th of four.
Matrix Factors(const Dropout& dropout, int64_t rows, int first_draw, int64_t numbers) {
  Matrix factors(rows, numbers);
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
    const Dropper dropper(dropout);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t draw = 0; draw < numbers / 8; ++draw) {
        tiles::Eight ones = {{1, 1, 1, 1, 1, 1, 1, 1}};
        dropper.DropEight(row * kLayerDraws + first_draw + draw, ones);
        for (int e = 0; e < 8; ++e) {
          factors(row, draw / 4 * 32 + e / 4 * 16 + draw % 4 * 4 + e % 4) = ones.values[e];
        }
      }
    }
  });
  return factors;
}

struct PostAttentionCase {
  PostAttentionCase(int64_t rows, float probability)
      : rows(rows),
        dropout(DropoutOf(probability)),
        branch_factors(Factors(dropout, rows, kBranchDraws, kLayerWidth)),
        hidden_scale(1 / (1 - double{probability})),
        hidden_kept(Each(Factors(dropout, rows, kHiddenDraws, kLayerHidden),
                         [](double factor) { return factor == 0 ? 0 : 1; })),
        scaled_mlp(mlp.weight.matrix),
        mlp_factors(Factors(dropout, rows, kMlpDraws, kLayerWidth)) {
    for (double& weight : scaled_mlp.values) weight *= hidden_scale;
  }

  PostAttentionParameters parameters() const {
    return {output.call(), norm.call(), hidden.call(), mlp.call()};
  }
  Matrix Sum() const { return Plus(Times(output.Of(heads.matrix), branch_factors), x.matrix); }
  Matrix Hidden() const { return hidden.Of(norm.Of(Sum())); }
  Matrix Active() const { return Times(Each(Hidden(), ExactGelu), hidden_kept); }

  int64_t rows;
  Dropout dropout;
  Floats x{rows, kLayerWidth, 2, 11};
  Rounded16 heads{rows, kLayerWidth, 12};
  Linear output{kLayerWidth, kLayerWidth, 13};
  Norm norm{15};
  Linear hidden{kLayerHidden, kLayerWidth, 17};
  Linear mlp{kLayerWidth, kLayerHidden, 19};
  Matrix branch_factors;
  double hidden_scale;
  Matrix hidden_kept;
  Matrix scaled_mlp;
  Matrix mlp_factors;
};

class EmulatedPostAttentionTest : public testing::TestWithParam<float> {};
INSTANTIATE_TEST_SUITE_P(Dropouts, EmulatedPostAttentionTest, testing::Values(0.0F, 0.2F));

TEST_P(EmulatedPostAttentionTest, IsProjectionAndMlp) {
  for (const int64_t rows : kRowsOfTests) {
    const PostAttentionCase c(rows, GetParam());
    std::vector<float> out = Unwritten<float>(rows * kLayerWidth);
    Drawn drawn;
    const PostAttentionForward call = {.rows = rows,
                                       .x = c.x.data(),
                                       .heads = c.heads.data(),
                                       .parameters = c.parameters(),
                                       .dropout = drawn.Of(c.dropout),
                                       .out = out.data(),
                                       .kept = nullptr};
    RunKernel(LaunchOf(rows, PostAttentionShared::kForwardBytes),
              [&] { PostAttentionForwardKernel(call); });
    const Matrix branch = PlusRow(Product(c.Active(), c.scaled_mlp), c.mlp.bias.matrix);
    ExpectClose(out, Plus(Times(branch, c.mlp_factors), c.Sum()), "y");
    if (GetParam() > 0) drawn.ExpectOf(c.dropout);
  }
}

TEST_P(EmulatedPostAttentionTest, Gradients) {
  using At = PostAttentionGradients;
  for (const int64_t rows : kRowsOfTests) {
    const PostAttentionCase c(rows, GetParam());
    const Floats grad_out(rows, kLayerWidth, 1, 21);
    std::vector<uint32_t> kept((rows + 15) / 16 * 32 * KeptWords::kOfThread);
    std::vector<float> out(rows * kLayerWidth);
    const PostAttentionForward forward = {.rows = rows,
                                          .x = c.x.data(),
                                          .heads = c.heads.data(),
                                          .parameters = c.parameters(),
                                          .dropout = c.dropout,
                                          .out = out.data(),
                                          .kept = kept.data()};
    RunKernel(LaunchOf(rows, PostAttentionShared::kForwardBytes),
              [&] { PostAttentionForwardKernel(forward); });
    std::vector<float> grad_x = Unwritten<float>(rows * kLayerWidth);
    std::vector<BFloat16> grad_heads = Unwritten<BFloat16>(rows * kLayerWidth);
    std::vector<float> scratch = Unwritten<float>(kBlocks * At::kFloats);
    const PostAttentionBackward call = {.rows = rows,
                                        .grad_out = grad_out.data(),
                                        .x = c.x.data(),
                                        .heads = c.heads.data(),
                                        .parameters = c.parameters(),
                                        .probability = GetParam(),
                                        .kept = GetParam() > 0 ? kept.data() : nullptr,
                                        .grad_x = grad_x.data(),
                                        .grad_heads = grad_heads.data(),
                                        .grad_parameters = nullptr,
                                        .scratch = scratch.data()};
    RunKernel(LaunchOf(rows, PostAttentionRows::kBytes),
              [&] { PostAttentionBackwardKernel(call); });
    const std::vector<float> sums = Summed<PostAttentionPlace>(scratch, rows, At::kFloats);

    const Matrix grad_mlp = Times(grad_out.matrix, c.mlp_factors);
    const Matrix grad_hidden =
        Times(Times(Product(grad_mlp, Transposed(c.scaled_mlp)), c.hidden_kept),
              Each(c.Hidden(), ExactSlopeOfGelu));
    const Matrix mlp_weight =
        Each(WeightGradient(grad_mlp, c.Active()), [&](double v) { return v * c.hidden_scale; });
    const NormGradient through =
        GradientOfNorm(c.Sum(), kEpsilon, c.norm.weight.matrix, c.hidden.Back(grad_hidden));
    const Matrix grad_sum = Plus(through.x, grad_out.matrix);
    const Matrix grad_output = Times(grad_sum, c.branch_factors);
    ExpectClose(grad_x, grad_sum, "x");
    ExpectClose(grad_heads, InBF16(c.output.Back(grad_output)), "heads");
    const auto expect = [&](int at, const Matrix& gradient, const char* what) {
      ExpectClose(Slice(sums, at, gradient), gradient, what);
    };
    expect(At::kHiddenWeight, WeightGradient(grad_hidden, c.norm.Of(c.Sum())), "hidden weight");
    expect(At::kMlpWeight, mlp_weight, "MLP weight");
    expect(At::kOutputWeight, WeightGradient(grad_output, c.heads.matrix), "output weight");
    expect(At::kHiddenBias, SumOfRows(InBF16(grad_hidden)), "hidden bias");
    expect(At::kMlpBias, SumOfRows(InBF16(grad_mlp)), "MLP bias");
    expect(At::kOutputBias, SumOfRows(InBF16(grad_output)), "output bias");
    expect(At::kNormWeight, through.weight, "norm weight");
    expect(At::kNormBias, through.bias, "norm bias");
  }
}

TEST(EmulatedPostAttentionMaskTest, EachDropoutAndRowHasAMaskOfItsOwn) {
  constexpr int64_t kRows = 40;
  constexpr float kProbability = 0.2F;
  const Dropout dropout = DropoutOf(kProbability);
  static_assert(kLayerDraws * 8 == 2 * kLayerWidth + kLayerHidden);
  const Matrix all = Factors(dropout, kRows, 0, kLayerDraws * 8);
  ExpectFactors(all.values, kProbability);
  ExpectDistinctRows(all.values, kLayerWidth);
}

TEST(EmulatedPostAttentionMaskTest, ASliceOfABatchHasItsPartOfTheWholeMask) {
  constexpr int64_t kSlices = 2;
  constexpr int64_t kRows = 19;  // a slice
  const PostAttentionCase c(kSlices * kRows, 0.2F);
  const auto result = [&](int64_t first, int64_t rows) {
    Dropout dropout = c.dropout;
    dropout.random.first_draw = first * kLayerDraws;
    std::vector<float> out = Unwritten<float>(rows * kLayerWidth);
    const PostAttentionForward call = {rows,
                                       c.x.data() + first * kLayerWidth,
                                       c.heads.data() + first * kLayerWidth,
                                       c.parameters(),
                                       dropout,
                                       out.data(),
                                       nullptr};
    RunKernel(LaunchOf(rows, PostAttentionShared::kForwardBytes),
              [&] { PostAttentionForwardKernel(call); });
    return out;
  };
  std::vector<float> parts;
  for (int64_t slice = 0; slice < kSlices; ++slice) {
    const std::vector<float> part = result(slice * kRows, kRows);
    parts.insert(parts.end(), part.begin(), part.end());
  }
  EXPECT_EQ(parts, result(0, kSlices * kRows));
}

}  // namespace
}  // namespace spion::cuda
