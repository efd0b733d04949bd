// The same bits every time, and the same answer as the CPU's.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

using DeterminismParam = std::tuple<TestPrecision, int, int64_t>;

std::vector<NamedPattern> UnevenPatterns() {
  return {{"ImageCfLayer1", ImageCfLayer1()},
          {"LongColumns", LongColumns(16, 64)},
          {"FullAndBareRows", FullAndBareRows(16, 16)},
          {"LargeBlocks", LongColumns(8, 128)}};
}

class DeterminismTest : public ::testing::TestWithParam<DeterminismParam> {};

TEST_P(DeterminismTest, TwoHundredRunsGiveTheSameBits) {
  const auto [precision, index, head_dim] = GetParam();
  const BlockPattern pattern = UnevenPatterns()[index].pattern;
  const AttentionShape shape = {
      .batch = 3, .heads = 5, .length = pattern.length(), .head_dim = head_dim};
  const PrecisionCase c = MakePrecisionCase(precision, shape, CasePadding::kLengths, 1,
                                            TestSeed(61), {pattern}, PrunedScore::kZero);
  const CaseTensors tensors = ToTensors(c, Gpu());
  const PatternTensors on_device = ToTensors(c.patterns, Gpu());
  const auto run = [&] {
    return ForwardAndBackward(
        [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
          return BlockSparseAttention(q, k, v, on_device, tensors.padding, c.pruned,
                                      Float32MathOf(c.precision));
        },
        tensors);
  };
  const AttentionResult first = run();
  for (int repeat = 1; repeat < 200; ++repeat) {
    ASSERT_TRUE(SameBits(run(), first)) << "repeat " << repeat;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kPrecisions),
                                            ::testing::Range(0, 4), ::testing::Values(32, 64, 128)),
                         [](const auto& info) {
                           return absl::StrCat(Name(std::get<0>(info.param)),
                                               UnevenPatterns()[std::get<1>(info.param)].name,
                                               "Dim", std::get<2>(info.param));
                         });

TEST(CpuAgreementTest, GpuInFp32AgreesWithTheCpu) {
  const AttentionShape shape = {.batch = 3, .heads = 3, .length = 256, .head_dim = 64};
  const PrecisionCase c =
      MakePrecisionCase(TestPrecision::kFp32, shape, CasePadding::kLengths, 1, TestSeed(62),
                        {RandomBlocks(8, 32, 0.4, 3)}, PrunedScore::kZero);
  const AttentionResult gpu = RunOperator(c, Gpu());
  const AttentionResult cpu = RunOperator(c, at::kCPU);
  // Each may be off by the tolerance.
  const AttentionTolerance tolerance = {.max_score = c.inputs.MaxScore(), .terms = shape.length};
  const auto expect_near = [](const char* name, const at::Tensor& a, const at::Tensor& b,
                              double bound) {
    const std::vector<float> values = HostFloats(b);
    EXPECT_LE(NormError(HostFloats(a), std::vector<double>(values.begin(), values.end())),
              2 * bound)
        << name;
  };
  expect_near("out", gpu.out, cpu.out, tolerance.forward());
  expect_near("grad_q", gpu.grad_q, cpu.grad_q, tolerance.backward());
  expect_near("grad_k", gpu.grad_k, cpu.grad_k, tolerance.backward());
  expect_near("grad_v", gpu.grad_v, cpu.grad_v, tolerance.backward());
}

}  // namespace
}  // namespace spion
