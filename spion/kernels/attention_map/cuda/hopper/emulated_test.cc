// The map's kernels for Hopper on the CPU, held against the oracle. Launches are as launch.cuh
// makes them.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/attention_map/call.h"
#include "spion/kernels/attention_map/cuda/hopper/mean_map.cuh"
#include "spion/kernels/attention_map/cuda/hopper/row_statistics.cuh"
#include "spion/kernels/common/number.h"
#include "spion/kernels/cuda_emulation/rounding.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cuda {
namespace {

constexpr unsigned kMultiprocessors = 2;  // few, so that a thread block has several units
constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();

template <typename T, int kHeadDim>
std::vector<float> RunMap(const AttentionCase& inputs, const std::vector<T>& q,
                          const std::vector<T>& k) {
  const AttentionShape& s = inputs.shape;
  std::vector<float> map(s.length * s.length, kUnset);
  std::vector<float> statistics(s.batch * s.heads * s.length * 2, kUnset);
  const auto tensor = [&](const std::vector<T>& values) {
    return HeadTensor<const T>{values.data(), s.heads * s.length * s.head_dim,
                               s.length * s.head_dim, s.head_dim};
  };
  const auto tile_map = [&](const std::vector<T>& values, int rows) -> tiles::TileMap {
    const int64_t row = s.head_dim * static_cast<int64_t>(sizeof(T));
    return {.data = values.data(),
            .example_stride = s.heads * s.length * row,
            .head_stride = s.length * row,
            .row_stride = row,
            .rows = rows,
            .panels = kHeadDim / 64,
            .row_bytes = 128,
            .length = static_cast<int32_t>(s.length)};
  };
  const hopper::MapArguments<T> arguments = {.call = {.batch = s.batch,
                                                      .heads = s.heads,
                                                      .length = s.length,
                                                      .head_dim = s.head_dim,
                                                      .scale = static_cast<float>(inputs.scale),
                                                      .padding = inputs.padding(),
                                                      .q = tensor(q),
                                                      .k = tensor(k),
                                                      .map = map.data(),
                                                      .row_statistics = statistics.data()},
                                             .q = tile_map(q, hopper::kMapQueries),
                                             .k = tile_map(k, hopper::kMapKeys)};
  const auto parts_of = [&](int64_t part) {
    return static_cast<unsigned>((s.length + part - 1) / part);
  };
  const unsigned row_blocks = parts_of(hopper::kMapQueries);
  RunKernel({.grid = {kMultiprocessors, 1, 1},
             .threads = hopper::kMapThreads,
             .shared_bytes = hopper::MapStatisticsTraits<kHeadDim>::kSharedBytes,
             .seed = TestSeed(1)},
            [&] { hopper::MapStatisticsKernel<T, kHeadDim>(arguments); });
  RunKernel({.grid = {parts_of(hopper::kMapKeys), row_blocks, 1},
             .threads = hopper::kMapThreads,
             .shared_bytes = hopper::MeanMapTraits<kHeadDim>::kSharedBytes,
             .seed = TestSeed(2)},
            [&] { hopper::MeanMapKernel<T, kHeadDim>(arguments); });
  return map;
}

template <typename T>
std::vector<double> Truth(const AttentionCase& inputs, const std::vector<T>& q,
                          const std::vector<T>& k) {
  return reference::MeanAttentionMap({.batch = inputs.shape.batch,
                                      .heads = inputs.shape.heads,
                                      .length = inputs.shape.length,
                                      .head_dim = inputs.shape.head_dim,
                                      .scale = inputs.scale,
                                      .pruned = PrunedScore::kExcluded,
                                      .patterns = {},
                                      .lengths = inputs.lengths,
                                      .valid = inputs.valid,
                                      .q = DoubleAll(q),
                                      .k = DoubleAll(k),
                                      .v = {}});
}

template <typename T, int kHeadDim>
void ExpectNearOracle(const AttentionCase& inputs) {
  const std::vector<T> q = RoundAll<T>(inputs.q);
  const std::vector<T> k = RoundAll<T>(inputs.k);
  // Products of 16-bit numbers are exact, sums are in fp32.
  const AttentionTolerance tolerance = {
      .roundoff = 0x1p-24, .max_score = inputs.MaxScore(), .terms = inputs.shape.length};
  EXPECT_LE(NormError(RunMap<T, kHeadDim>(inputs, q, k), Truth(inputs, q, k)), tolerance.forward());
}

TEST(EmulatedHopperMapTest, AgreesWithTheOracle) {
  // Two thread blocks of rows, the second with few, and three of columns; more heads than stages.
  ExpectNearOracle<BFloat16, 64>(MakeAttentionCase(
      {.batch = 2, .heads = 3, .length = 272, .head_dim = 64}, CasePadding::kNone, 1, TestSeed(3)));
  ExpectNearOracle<Float16, 128>(
      MakeAttentionCase({.batch = 3, .heads = 1, .length = 144, .head_dim = 128},
                        CasePadding::kLengths, 1, TestSeed(4)));
  ExpectNearOracle<BFloat16, 128>(MakeAttentionCase(
      {.batch = 2, .heads = 3, .length = 80, .head_dim = 128}, CasePadding::kMask, 1, TestSeed(5)));
}

TEST(EmulatedHopperMapTest, ExamplesWithoutKeysAddNothing) {
  AttentionCase inputs = MakeAttentionCase({.batch = 2, .heads = 1, .length = 16, .head_dim = 64},
                                           CasePadding::kLengths, 1, TestSeed(6));
  inputs.lengths = {0, 0};
  EXPECT_EQ(
      (RunMap<BFloat16, 64>(inputs, RoundAll<BFloat16>(inputs.q), RoundAll<BFloat16>(inputs.k))),
      std::vector<float>(16 * 16, 0.0F));
}

TEST(EmulatedHopperMapTest, HugeScoresOfALaterTile) {
  // Scores of some 10,000, which fp32 holds in steps of 1 / 1000, where the keys before had small
  // ones: the two largest are equal, and so are their probabilities.
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 144, .head_dim = 64};
  AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(7));
  const int64_t d = shape.head_dim;
  for (int64_t row = 0; row < shape.length; ++row) {
    inputs.q[row * d] = 4096;
    inputs.k[row * d] = row == 130 ? 20 : 0;
  }
  std::copy_n(inputs.k.data() + 130 * d, d, inputs.k.data() + 137 * d);
  const auto q = RoundAll<BFloat16>(inputs.q);
  const auto k = RoundAll<BFloat16>(inputs.k);
  EXPECT_LE(NormError(RunMap<BFloat16, 64>(inputs, q, k), Truth(inputs, q, k)), 1e-6);
}

}  // namespace
}  // namespace spion::cuda
