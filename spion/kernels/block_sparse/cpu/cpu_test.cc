#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/api.h"
#include "spion/kernels/block_sparse/cpu/cpu_internal.h"
#include "spion/kernels/block_sparse/cpu/test_call.h"
#include "spion/kernels/block_sparse/problem.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/pattern/block_pattern.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"

namespace spion::cpu::internal {
namespace {

using cpu_simd::InstructionSet;
using cpu_simd::SupportedInstructionSets;

/// Every instruction set against the oracle.
void ExpectAllSetsNearOracle(const TestProblem& problem, const ParallelFor& parallel) {
  const OracleResult oracle = RunOracle(problem);
  for (const InstructionSet set : SupportedInstructionSets()) {
    SCOPED_TRACE(cpu_simd::Name(set));
    ExpectNear(RunKernel(problem, parallel, set), oracle, problem);
  }
}

const char* Name(PrunedScore pruned) { return pruned == PrunedScore::kZero ? "Zero" : "Excluded"; }

// ---- Head dimension x block size x pattern x meaning of pruned x padding ----

struct SparseParam {
  int64_t head_dim;
  int block_size;
  int zoo_index;
  PrunedScore pruned;
  CasePadding padding;
};

int BlocksPerSide(int block_size) { return block_size >= 96 ? 2 : block_size >= 48 ? 3 : 5; }

constexpr uint64_t kZooSeed = 11;

std::vector<SparseParam> SparseParams() {
  std::vector<SparseParam> params;
  for (const int64_t d : {16, 32, 64, 128}) {
    for (const int b : {16, 32, 48, 64, 80, 128}) {
      for (int pattern = 0; pattern < 6; ++pattern) {
        for (const PrunedScore pruned : {PrunedScore::kZero, PrunedScore::kExcluded}) {
          for (const CasePadding padding :
               {CasePadding::kNone, CasePadding::kLengths, CasePadding::kMask}) {
            params.push_back({d, b, pattern, pruned, padding});
          }
        }
      }
    }
  }
  return params;
}

NamedPattern PatternOf(const SparseParam& param) {
  return PatternZoo(BlocksPerSide(param.block_size), param.block_size, kZooSeed)[param.zoo_index];
}

std::string SparseName(const testing::TestParamInfo<SparseParam>& info) {
  const SparseParam& p = info.param;
  return absl::StrCat("Dim", p.head_dim, "Block", p.block_size, PatternOf(p).name, Name(p.pruned),
                      Name(p.padding));
}

class CpuKernelTest : public testing::TestWithParam<SparseParam> {};

TEST_P(CpuKernelTest, AgreesWithOracle) {
  const SparseParam& param = GetParam();
  const NamedPattern named = PatternOf(param);
  // Three examples, so that lengths cover 1, L and a random one, and the mask none valid.
  const int64_t batch = param.padding == CasePadding::kNone ? 1 : 3;
  const AttentionShape shape = {
      .batch = batch, .heads = 1, .length = named.pattern.length(), .head_dim = param.head_dim};
  const TestProblem problem = {.inputs = MakeAttentionCase(shape, param.padding, 1, TestSeed(1)),
                               .patterns = {named.pattern},
                               .pruned = param.pruned,
                               .layout = Layout::kFused};
  ExpectAllSetsNearOracle(problem, SerialFor());
}

INSTANTIATE_TEST_SUITE_P(All, CpuKernelTest, testing::ValuesIn(SparseParams()), SparseName);

// ---- Layouts, patterns per head, odd counts ----

using LayoutParam = std::tuple<Layout, PrunedScore>;

std::string LayoutName(const testing::TestParamInfo<LayoutParam>& info) {
  const auto [layout, pruned] = info.param;
  return absl::StrCat(layout == Layout::kHeadMajor ? "HeadMajor"
                      : layout == Layout::kFused   ? "Fused"
                                                   : "Gaps",
                      Name(pruned));
}

class CpuKernelLayoutTest : public testing::TestWithParam<LayoutParam> {};

TEST_P(CpuKernelLayoutTest, PatternPerHeadAndOddCounts) {
  const auto [layout, pruned] = GetParam();
  const AttentionShape shape = {.batch = 5, .heads = 3, .length = 96, .head_dim = 32};
  const TestProblem problem = {
      .inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(2)),
      .patterns = {LongColumns(3, 32), FullAndBareRows(3, 32), DiagonalOnly(3, 32)},
      .pruned = pruned,
      .layout = layout};
  ExpectAllSetsNearOracle(problem, ThreadedFor(2));
}

INSTANTIATE_TEST_SUITE_P(
    All, CpuKernelLayoutTest,
    testing::Combine(testing::Values(Layout::kHeadMajor, Layout::kFused, Layout::kGaps),
                     testing::Values(PrunedScore::kZero, PrunedScore::kExcluded)),
    LayoutName);

// ---- Real patterns and sizes ----

TEST(CpuKernelSizeTest, ImagePatternsOfLength1024) {
  const AttentionShape shape = {.batch = 1, .heads = 2, .length = 1024, .head_dim = 32};
  const TestProblem problem = {
      .inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(3)),
      .patterns = {ImageCfLayer0(), ImageCfLayer1()},
      .layout = Layout::kFused};
  ExpectAllSetsNearOracle(problem, ThreadedFor(2));
}

TEST(CpuKernelSizeTest, Length4096) {
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 4096, .head_dim = 32};
  const TestProblem problem = {
      .inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(4)),
      .patterns = {RandomBlocks(64, 64, 0.01, 5)},
      .layout = Layout::kFused};
  ExpectAllSetsNearOracle(problem, ThreadedFor(2));
}

// ---- Extreme scores ----

class CpuKernelScoreTest : public testing::TestWithParam<PrunedScore> {};

TEST_P(CpuKernelScoreTest, HugeScoresOfBothSigns) {
  // Deviation 50 gives scores of deviation 2,500, up to some 10,000.
  const AttentionShape shape = {.batch = 3, .heads = 1, .length = 96, .head_dim = 32};
  for (const CasePadding padding : {CasePadding::kNone, CasePadding::kMask}) {
    const TestProblem problem = {.inputs = MakeAttentionCase(shape, padding, 50, TestSeed(6)),
                                 .patterns = {Banded(3, 32, 1)},
                                 .pruned = GetParam(),
                                 .saturated = true};
    ExpectAllSetsNearOracle(problem, SerialFor());
  }
}

TEST_P(CpuKernelScoreTest, AllScoresHugeAndNegative) {
  // Against a maximum of 0 that no score has, every exponential would underflow.
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 64, .head_dim = 16};
  for (const BlockPattern& pattern : {AllBlocks(2, 32), DiagonalOnly(2, 32)}) {
    // Beside pruned zeros such scores have no weight that fp32 could hold.
    if (GetParam() == PrunedScore::kZero && pattern.kept_blocks() < 4) continue;
    TestProblem problem = {.inputs = MakeAttentionCase(shape, CasePadding::kNone, 1, TestSeed(7)),
                           .patterns = {pattern},
                           .pruned = GetParam()};
    // Scores of some -300. K stays small, for dQ sums it up with weights that cancel.
    for (int64_t row = 0; row < shape.length; ++row) {
      problem.inputs.q[row * shape.head_dim] = 400;
      problem.inputs.k[row * shape.head_dim] = -3;
    }
    ExpectAllSetsNearOracle(problem, SerialFor());
  }
}

TEST_P(CpuKernelScoreTest, KeysWithACommonPart) {
  // Scores of some 2,000 that differ by tenths: attention is spread, and dQ, a difference of keys,
  // is small beside each of its terms. The backward pass has to find the forward pass's weights to
  // the rounding of their difference, not of the score.
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 64, .head_dim = 16};
  TestProblem problem = {.inputs = MakeAttentionCase(shape, CasePadding::kNone, 0.1, TestSeed(10)),
                         .patterns = {AllBlocks(2, 32)},
                         .pruned = GetParam()};
  for (float& x : problem.inputs.q) x += 1;
  for (float& x : problem.inputs.k) x += 500;
  const OracleResult oracle = RunOracle(problem);
  for (const InstructionSet set : SupportedInstructionSets()) {
    const CallResult result = RunKernel(problem, SerialFor(), set);
    double off = 0;
    double largest = 0;
    for (size_t i = 0; i < result.grad_q.size(); ++i) {
      off = std::max(off, std::abs(result.grad_q[i] - oracle.gradients.q[i]));
      largest = std::max(largest, std::abs(oracle.gradients.q[i]));
    }
    EXPECT_LE(off, 0.01 * largest) << cpu_simd::Name(set);
  }
}

TEST_P(CpuKernelScoreTest, NanInPaddingBehindTheLengthIsNotRead) {
  const AttentionShape shape = {.batch = 3, .heads = 1, .length = 96, .head_dim = 32};
  TestProblem problem = {.inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(8)),
                         .patterns = {AllBlocks(3, 32)},
                         .pruned = GetParam()};
  const TestProblem clean = problem;
  for (int64_t row = 0; row < shape.batch * shape.length; ++row) {
    if (row % shape.length < problem.inputs.lengths[row / shape.length]) continue;
    for (int64_t i = 0; i < shape.head_dim; ++i) {
      problem.inputs.k[row * shape.head_dim + i] = std::numeric_limits<float>::quiet_NaN();
      problem.inputs.v[row * shape.head_dim + i] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  const OracleResult oracle = RunOracle(clean);
  for (const InstructionSet set : SupportedInstructionSets()) {
    SCOPED_TRACE(cpu_simd::Name(set));
    ExpectNear(RunKernel(problem, SerialFor(), set), oracle, clean);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CpuKernelScoreTest,
                         testing::Values(PrunedScore::kZero, PrunedScore::kExcluded),
                         [](const auto& info) { return Name(info.param); });

// ---- Threads ----

TestProblem ThreadProblem(int64_t batch, int64_t heads) {
  const AttentionShape shape = {.batch = batch, .heads = heads, .length = 224, .head_dim = 32};
  return {.inputs = MakeAttentionCase(shape, CasePadding::kLengths, 1, TestSeed(9)),
          .patterns = {LongColumns(7, 32)},
          .layout = Layout::kFused};
}

TEST(CpuKernelThreadTest, ForwardBitsDoNotDependOnThreads) {
  for (const InstructionSet set : SupportedInstructionSets()) {
    for (const int64_t heads : {1, 3}) {
      const TestProblem problem = ThreadProblem(1, heads);
      const CallResult serial = RunKernel(problem, SerialFor(), set);
      for (const int threads : {1, 2, 3, 5}) {
        const CallResult result = RunKernel(problem, ThreadedFor(threads), set);
        EXPECT_EQ(result.out, serial.out) << threads << " threads";
        EXPECT_EQ(result.log_sum_exp, serial.log_sum_exp) << threads << " threads";
      }
    }
  }
}

TEST(CpuKernelThreadTest, BackwardRepeatsItsBits) {
  for (const InstructionSet set : SupportedInstructionSets()) {
    for (const int threads : {1, 2, 3, 5}) {
      const TestProblem problem = ThreadProblem(1, 2);
      const CallResult first = RunKernel(problem, ThreadedFor(threads), set);
      for (int repeat = 0; repeat < 3; ++repeat) {
        const CallResult again = RunKernel(problem, ThreadedFor(threads), set);
        EXPECT_EQ(again.grad_q, first.grad_q) << threads << " threads";
        EXPECT_EQ(again.grad_k, first.grad_k) << threads << " threads";
        EXPECT_EQ(again.grad_v, first.grad_v) << threads << " threads";
      }
    }
  }
}

TEST(CpuKernelThreadTest, FewerHeadsThanThreads) {
  // More threads than heads split a head; more than block rows can't split further.
  for (const int threads : {2, 3, 5, 40}) {
    ExpectAllSetsNearOracle(ThreadProblem(1, 1), ThreadedFor(threads));
    ExpectAllSetsNearOracle(ThreadProblem(3, 1), ThreadedFor(threads));
  }
}

// ---- Errors ----

TEST(CpuKernelErrorTest, InvalidProblemLeavesOutputsAlone) {
  TestProblem problem = ThreadProblem(1, 1);
  const PatternArrays arrays(problem.patterns);
  BlockSparseProblem invalid = KernelProblem(problem, arrays);
  invalid.block_size = 24;
  std::vector<float> untouched(problem.inputs.shape.elements(), 7);
  std::vector<float> log_sum_exp(problem.inputs.shape.length, 7);
  const HeadTensor<float> output = {untouched.data(), 0, 0, 32};
  const HeadTensor<const float> input = {problem.inputs.q.data(), 0, 0, 32};
  const absl::Status forward = cpu::Forward({.problem = invalid,
                                             .q = input,
                                             .k = input,
                                             .v = input,
                                             .out = output,
                                             .log_sum_exp = log_sum_exp.data()},
                                            SerialFor());
  EXPECT_EQ(forward.code(), absl::StatusCode::kInvalidArgument);
  const absl::Status backward = cpu::Backward({.problem = invalid,
                                               .q = input,
                                               .k = input,
                                               .v = input,
                                               .out = input,
                                               .grad_out = input,
                                               .log_sum_exp = log_sum_exp.data(),
                                               .grad_q = output,
                                               .grad_k = output,
                                               .grad_v = output},
                                              SerialFor());
  EXPECT_EQ(backward.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(untouched, std::vector<float>(untouched.size(), 7));
  EXPECT_EQ(log_sum_exp, std::vector<float>(log_sum_exp.size(), 7));
}

}  // namespace
}  // namespace spion::cpu::internal
