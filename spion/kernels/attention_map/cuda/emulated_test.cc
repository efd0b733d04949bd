// The device code, run on the CPU by spion/kernels/cuda_emulation and held against the oracle.
// Launches are as launch.cuh makes them.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/attention_map/cuda/mean_map.cuh"
#include "spion/kernels/attention_map/cuda/row_statistics.cuh"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/cuda_launch/parts.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cuda {
namespace {

constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();

/// The first kernel is launched for at most max_heads heads at a time.
template <class Math, int kHeadDim>
std::vector<float> RunMap(const AttentionCase& inputs, int64_t max_heads) {
  const AttentionShape& s = inputs.shape;
  std::vector<float> map(s.length * s.length, kUnset);
  std::vector<float> statistics(s.batch * s.heads * s.length * 2, kUnset);
  const auto tensor = [&](const std::vector<float>& values) {
    return HeadTensor<const float>{values.data(), s.heads * s.length * s.head_dim,
                                   s.length * s.head_dim, s.head_dim};
  };
  const AttentionMapCall<float> call = {.batch = s.batch,
                                        .heads = s.heads,
                                        .length = s.length,
                                        .head_dim = s.head_dim,
                                        .scale = static_cast<float>(inputs.scale),
                                        .padding = inputs.padding(),
                                        .q = tensor(inputs.q),
                                        .k = tensor(inputs.k),
                                        .map = map.data(),
                                        .row_statistics = statistics.data()};
  const auto parts_of = [&](int64_t part) {
    return static_cast<unsigned>((s.length + part - 1) / part);
  };
  const unsigned row_blocks = parts_of(kStatisticsRows<Math, kHeadDim>);
  InParts(s.batch * s.heads, max_heads, [&](int64_t first, int64_t heads) {
    RunKernel({.grid = {static_cast<unsigned>(row_blocks * heads), 1, 1},
               .threads = 32 * kStatisticsWarps,
               .seed = TestSeed(1)},
              [&] {
                RowStatisticsKernel<Math, kHeadDim>(call, row_blocks, static_cast<uint32_t>(first));
              });
    return cudaSuccess;
  });
  const unsigned side = parts_of(kMapSide);
  RunKernel({.grid = {side, side, 1}, .threads = 32 * kMapWarps, .seed = TestSeed(2)},
            [&] { MeanMapKernel<Math, kHeadDim>(call); });
  return map;
}

std::vector<double> Truth(const AttentionCase& inputs) {
  return reference::MeanAttentionMap({.batch = inputs.shape.batch,
                                      .heads = inputs.shape.heads,
                                      .length = inputs.shape.length,
                                      .head_dim = inputs.shape.head_dim,
                                      .scale = inputs.scale,
                                      .pruned = PrunedScore::kExcluded,
                                      .patterns = {},
                                      .lengths = inputs.lengths,
                                      .valid = inputs.valid,
                                      .q = {inputs.q.begin(), inputs.q.end()},
                                      .k = {inputs.k.begin(), inputs.k.end()},
                                      .v = {}});
}

template <class Math, int kHeadDim>
void ExpectNearOracle(const AttentionCase& inputs, int64_t max_heads, double roundoff) {
  const AttentionTolerance tolerance = {
      .roundoff = roundoff, .max_score = inputs.MaxScore(), .terms = inputs.shape.length};
  EXPECT_LE(NormError(RunMap<Math, kHeadDim>(inputs, max_heads), Truth(inputs)),
            tolerance.forward());
}

constexpr double kTf32Roundoff = 0x1p-11;
constexpr double kFp32Roundoff = 0x1p-24;

TEST(EmulatedMapTest, AgreesWithTheOracle) {
  // Beyond 64, two thread blocks a side, the second with few rows.
  const AttentionShape shape = {.batch = 3, .heads = 1, .length = 80, .head_dim = 16};
  ExpectNearOracle<tiles::MathF32, 16>(MakeAttentionCase(shape, CasePadding::kMask, 1, TestSeed(3)),
                                       kMaxGridRows, kFp32Roundoff);
  ExpectNearOracle<tiles::MathTf32, 16>(
      MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(8)), kMaxGridRows, kTf32Roundoff);
}

TEST(EmulatedMapTest, SixteenRowsAWarp) {
  const AttentionShape shape = {.batch = 1, .heads = 2, .length = 32, .head_dim = 64};
  const AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(4));
  ExpectNearOracle<tiles::MathF32, 64>(inputs, kMaxGridRows, kFp32Roundoff);
}

TEST(EmulatedMapTest, HeadsThatTakeSeveralLaunches) {
  const AttentionShape shape = {.batch = 5, .heads = 3, .length = 16, .head_dim = 16};
  const AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(5));
  ExpectNearOracle<tiles::MathF32, 16>(inputs, 4, kFp32Roundoff);
}

TEST(EmulatedMapTest, ExamplesWithoutKeysAddNothing) {
  const AttentionShape shape = {.batch = 2, .heads = 1, .length = 16, .head_dim = 16};
  AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(6));
  inputs.lengths = {0, 0};
  EXPECT_EQ((RunMap<tiles::MathF32, 16>(inputs, kMaxGridRows)), std::vector<float>(16 * 16, 0.0F));
}

TEST(EmulatedMapTest, EqualKeysHaveEqualProbabilitiesHoweverHugeTheirScores) {
  // Scores of some 10,000, which fp32 holds in steps of 1 / 1000: a probability that is made from a
  // score and a logarithm of such a size, rounded apart, is wrong in the fourth digit.
  const AttentionShape shape = {.batch = 1, .heads = 2, .length = 48, .head_dim = 32};
  AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kNone, 5, TestSeed(7));
  for (int64_t head = 0; head < shape.heads; ++head) {
    float* q = inputs.q.data() + head * shape.length * shape.head_dim;
    float* k = inputs.k.data() + head * shape.length * shape.head_dim;
    for (int64_t row = 0; row < shape.length; ++row) {
      q[row * shape.head_dim] = 3000;
      k[row * shape.head_dim] = row == 3 ? 20 : 0;
    }
    std::copy_n(k + 3 * shape.head_dim, shape.head_dim, k + 37 * shape.head_dim);
  }
  EXPECT_LE(NormError(RunMap<tiles::MathF32, 32>(inputs, kMaxGridRows), Truth(inputs)), 1e-6);
}

}  // namespace
}  // namespace spion::cuda
