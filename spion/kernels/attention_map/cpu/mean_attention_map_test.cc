#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/attention_map/cpu/map_internal.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion::cpu::internal {
namespace {

using cpu_simd::InstructionSet;
using cpu_simd::SupportedInstructionSets;

/// The map of inputs laid out as [B, L, H, d], on memory that held NaN before.
std::vector<float> RunKernel(const AttentionCase& inputs, const ParallelFor& parallel,
                             InstructionSet set) {
  const AttentionShape& s = inputs.shape;
  const auto interleave = [&](const std::vector<float>& head_major) {
    std::vector<float> fused(head_major.size());
    for (int64_t i = 0; i < static_cast<int64_t>(head_major.size()); ++i) {
      const int64_t row = i / s.head_dim % s.length;
      const int64_t head = i / (s.head_dim * s.length) % s.heads;
      const int64_t batch = i / (s.head_dim * s.length * s.heads);
      fused[((batch * s.length + row) * s.heads + head) * s.head_dim + i % s.head_dim] =
          head_major[i];
    }
    return fused;
  };
  const std::vector<float> q = interleave(inputs.q);
  const std::vector<float> k = interleave(inputs.k);
  const int64_t row_floats = s.heads * s.head_dim;
  std::vector<float> map(s.length * s.length, std::numeric_limits<float>::quiet_NaN());
  const AttentionMapCall<float> call = {
      .batch = s.batch,
      .heads = s.heads,
      .length = s.length,
      .head_dim = s.head_dim,
      .scale = static_cast<float>(inputs.scale),
      .padding = inputs.padding(),
      .q = {q.data(), s.length * row_floats, s.head_dim, row_floats},
      .k = {k.data(), s.length * row_floats, s.head_dim, row_floats},
      .map = map.data()};
  EXPECT_EQ(MeanAttentionMap(call, parallel, set), absl::OkStatus());
  return map;
}

void ExpectAllSetsNearOracle(const AttentionCase& inputs) {
  const reference::Input input = {.batch = inputs.shape.batch,
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
                                  .v = {}};
  const std::vector<double> oracle = reference::MeanAttentionMap(input);
  const AttentionTolerance tolerance = {
      .max_score = inputs.MaxScore(),
      .terms = std::max(inputs.shape.length, inputs.shape.batch * inputs.shape.heads)};
  for (const InstructionSet set : SupportedInstructionSets()) {
    SCOPED_TRACE(cpu_simd::Name(set));
    const std::vector<float> map = RunKernel(inputs, SerialFor(), set);
    EXPECT_LE(NormError(map, oracle), tolerance.forward());
    EXPECT_LE(MaxError(map, oracle), AttentionTolerance::kMaxOverNorm * tolerance.forward());
  }
}

using MapParam = std::tuple<int64_t, int64_t, CasePadding>;  // head dimension, length, padding

std::string MapName(const testing::TestParamInfo<MapParam>& info) {
  const auto [head_dim, length, padding] = info.param;
  return absl::StrCat("Dim", head_dim, "Length", length, Name(padding));
}

class CpuMapTest : public testing::TestWithParam<MapParam> {};

TEST_P(CpuMapTest, AgreesWithOracle) {
  const auto [head_dim, length, padding] = GetParam();
  const AttentionShape shape = {.batch = 3, .heads = 2, .length = length, .head_dim = head_dim};
  ExpectAllSetsNearOracle(MakeAttentionCase(shape, padding, 1, TestSeed(1)));
}

// One half band; a band and a half; whole panels; panels and a rest.
INSTANTIATE_TEST_SUITE_P(All, CpuMapTest,
                         testing::Combine(testing::Values(16, 32, 64, 128),
                                          testing::Values(16, 48, 128, 272),
                                          testing::Values(CasePadding::kNone, CasePadding::kLengths,
                                                          CasePadding::kMask)),
                         MapName);

TEST(CpuMapExtremesTest, HugeScores) {
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 144, .head_dim = 32};
  ExpectAllSetsNearOracle(MakeAttentionCase(shape, CasePadding::kNone, 50, TestSeed(2)));
}

TEST(CpuMapExtremesTest, OddHeadCounts) {
  const AttentionShape shape = {.batch = 5, .heads = 3, .length = 80, .head_dim = 16};
  ExpectAllSetsNearOracle(MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(3)));
}

TEST(CpuMapExtremesTest, NothingValidGivesZeros) {
  const AttentionShape shape = {.batch = 2, .heads = 1, .length = 80, .head_dim = 16};
  AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(4));
  inputs.lengths = {0, 0};
  for (const InstructionSet set : SupportedInstructionSets()) {
    EXPECT_EQ(RunKernel(inputs, SerialFor(), set), std::vector<float>(80 * 80, 0.0F));
  }
}

TEST(CpuMapThreadTest, BitsDoNotDependOnThreads) {
  const AttentionShape shape = {.batch = 2, .heads = 2, .length = 240, .head_dim = 32};
  const AttentionCase inputs = MakeAttentionCase(shape, CasePadding::kMask, 1, TestSeed(5));
  for (const InstructionSet set : SupportedInstructionSets()) {
    const std::vector<float> serial = RunKernel(inputs, SerialFor(), set);
    for (const int threads : {1, 2, 3, 5}) {
      EXPECT_EQ(RunKernel(inputs, ThreadedFor(threads), set), serial) << threads << " threads";
    }
  }
}

TEST(CpuMapErrorTest, EachErrorNamesTheValueAndLeavesTheMapAlone) {
  std::vector<float> map(32 * 32, 7);
  const std::vector<float> q(32 * 16, 1);
  const int32_t lengths[1] = {3};
  const uint8_t valid[32] = {};
  const AttentionMapCall<float> good = {.batch = 1,
                                        .heads = 1,
                                        .length = 32,
                                        .head_dim = 16,
                                        .padding = {},
                                        .q = {q.data(), 0, 0, 16},
                                        .k = {q.data(), 0, 0, 16},
                                        .map = map.data()};
  const auto expect_error = [&](const AttentionMapCall<float>& call, const std::string& part) {
    const absl::Status status = cpu::MeanAttentionMap(call, SerialFor());
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
    EXPECT_EQ(map, std::vector<float>(32 * 32, 7));
  };
  AttentionMapCall<float> call = good;
  call.batch = -1;
  expect_error(call, "batch = -1");
  call = good;
  call.batch = kMaxHeads + 1;
  expect_error(call, "split the batch");
  call = good;
  call.head_dim = 24;
  expect_error(call, "head dimension 24");
  call = good;
  call.length = 24;
  expect_error(call, "length 24");
  call = good;
  call.padding = {.lengths = lengths, .valid = valid};
  expect_error(call, "one of the two");
  call = good;
  call.map = nullptr;
  expect_error(call, "map");
  EXPECT_TRUE(cpu::MeanAttentionMap(good, SerialFor()).ok());
}

}  // namespace
}  // namespace spion::cpu::internal
