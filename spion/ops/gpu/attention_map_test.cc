// The mean attention map on the GPU, by the rule of error_rule.h.
#include "spion/ops/attention_map.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

/// A case whose pattern does not matter.
PrecisionCase MapCase(TestPrecision precision, const AttentionShape& shape, CasePadding padding,
                      double deviation, uint64_t seed) {
  return MakePrecisionCase(precision, shape, padding, deviation, seed, {DiagonalOnly(1, 16)},
                           PrunedScore::kExcluded);
}

void ExpectMapWithinRule(const PrecisionCase& c) {
  const CaseTensors tensors = ToTensors(c, Gpu());
  const FrameworkPrecision precision(c.precision);
  ExpectWithinRule("map", MeanAttentionMap(tensors.q, tensors.k, tensors.padding),
                   MaterialisedMap(tensors.q, tensors.k, tensors.padding), OracleMap(c),
                   ErrorRule::Forward(c.precision));
}

constexpr TestPrecision kMapPrecisions[] = {TestPrecision::kFp16, TestPrecision::kBf16,
                                            TestPrecision::kTf32, TestPrecision::kFp32};

using MapParam = std::tuple<TestPrecision, int64_t, int64_t, CasePadding>;

std::string MapName(const ::testing::TestParamInfo<MapParam>& info) {
  const auto& [precision, head_dim, length, padding] = info.param;
  return absl::StrCat(Name(precision), "Dim", head_dim, "Length", length, Name(padding));
}

class GpuAttentionMapTest : public ::testing::TestWithParam<MapParam> {};

TEST_P(GpuAttentionMapTest, AsAccurateAsTheFramework) {
  const auto [precision, head_dim, length, padding] = GetParam();
  const AttentionShape shape = {.batch = 3, .heads = 5, .length = length, .head_dim = head_dim};
  ExpectMapWithinRule(MapCase(precision, shape, padding, 1, TestSeed(91)));
}

INSTANTIATE_TEST_SUITE_P(All, GpuAttentionMapTest,
                         ::testing::Combine(::testing::ValuesIn(kMapPrecisions),
                                            ::testing::Values(16, 32, 64, 128),
                                            ::testing::Values(16, 64, 80, 336),
                                            ::testing::Values(CasePadding::kNone,
                                                              CasePadding::kLengths,
                                                              CasePadding::kMask)),
                         MapName);

class GpuMapTest : public ::testing::TestWithParam<TestPrecision> {};

TEST_P(GpuMapTest, Length1024) {
  const AttentionShape shape = {.batch = 5, .heads = 3, .length = 1024, .head_dim = 32};
  ExpectMapWithinRule(MapCase(GetParam(), shape, CasePadding::kLengths, 1, TestSeed(92)));
}

TEST_P(GpuMapTest, LongEnoughForWarpgroups) {
  for (const int64_t head_dim : {64, 128}) {
    for (const CasePadding padding :
         {CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask}) {
      const AttentionShape shape = {.batch = 2, .heads = 2, .length = 1552, .head_dim = head_dim};
      ExpectMapWithinRule(MapCase(GetParam(), shape, padding, 1, TestSeed(97)));
    }
  }
}

TEST_P(GpuMapTest, HugeScores) {
  const AttentionShape shape = {.batch = 1, .heads = 3, .length = 128, .head_dim = 32};
  ExpectMapWithinRule(MapCase(GetParam(), shape, CasePadding::kNone, 50, TestSeed(93)));
}

TEST_P(GpuMapTest, WhollyPaddedExamplesAddNothing) {
  const AttentionShape shape = {.batch = 3, .heads = 2, .length = 80, .head_dim = 32};
  PrecisionCase c = MapCase(GetParam(), shape, CasePadding::kLengths, 1, TestSeed(94));
  c.inputs.lengths = {0, 0, 0};
  CaseTensors tensors = ToTensors(c, Gpu());
  EXPECT_TRUE(MeanAttentionMap(tensors.q, tensors.k, tensors.padding).eq(0).all().item<bool>());
  c.inputs.lengths = {80, 0, 1};
  ExpectMapWithinRule(c);
}

TEST_P(GpuMapTest, ViewsOfAFusedProjectionAndRepeatsGiveTheSameBits) {
  const AttentionShape shape = {.batch = 3, .heads = 5, .length = 336, .head_dim = 32};
  const CaseTensors tensors =
      ToTensors(MapCase(GetParam(), shape, CasePadding::kMask, 1, TestSeed(95)), Gpu());
  const at::Tensor first = MeanAttentionMap(tensors.q, tensors.k, tensors.padding);
  const auto view = [](const at::Tensor& x) {
    return x.detach().transpose(1, 2).contiguous().transpose(1, 2);
  };
  EXPECT_TRUE(MeanAttentionMap(view(tensors.q), view(tensors.k), tensors.padding).equal(first));
  for (int repeat = 0; repeat < 50; ++repeat) {
    ASSERT_TRUE(MeanAttentionMap(tensors.q, tensors.k, tensors.padding).equal(first)) << repeat;
  }
}

TEST_P(GpuMapTest, NeverHoldsTheMapsOfAllHeads) {
  const AttentionShape shape = {.batch = 16, .heads = 8, .length = 512, .head_dim = 32};
  const CaseTensors tensors =
      ToTensors(MapCase(GetParam(), shape, CasePadding::kNone, 1, TestSeed(96)), Gpu());
  auto* allocator = c10::getDeviceAllocator(Gpu().type());
  const int64_t before = allocator->getDeviceStats(Gpu().index()).requested_bytes[0].current;
  allocator->resetPeakStats(Gpu().index());
  const at::Tensor map = MeanAttentionMap(tensors.q, tensors.k, tensors.padding);
  const int64_t peak = allocator->getDeviceStats(Gpu().index()).requested_bytes[0].peak - before;
  // The result, and for each of its rows and each head a few floats.
  const int64_t map_bytes = shape.length * shape.length * sizeof(float);
  const int64_t row_bytes = shape.batch * shape.heads * shape.length * sizeof(float);
  EXPECT_LE(peak, 2 * map_bytes + 4 * row_bytes);
  EXPECT_GE(peak, map_bytes) << "the allocator does not count";
}

INSTANTIATE_TEST_SUITE_P(All, GpuMapTest, ::testing::ValuesIn(kMapPrecisions),
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace spion
