// The check lets right implementations through, in every dtype, and nothing that is a block off.
#include "benchmarks/oracle_check.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "benchmarks/benchmark_case.h"
#include "benchmarks/implementation.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kHeadDim = 32;

absl::Status Check(const Implementation& implementation, const BlockPattern& pattern,
                   PrunedScore pruned, at::ScalarType dtype = at::kFloat) {
  return CheckAgainstOracle(implementation.make(pattern, at::kCPU), pattern, kHeadDim, pruned,
                            dtype, at::kCPU);
}

TEST(OracleCheckTest, SparseAttentionIsRight) {
  for (const BlockPattern& pattern : {RandomPattern(8, 32, 15, 3), ImageCfLayer0()}) {
    EXPECT_EQ(Check(Spion(), pattern, PrunedScore::kZero), absl::OkStatus());
  }
}

TEST(OracleCheckTest, DenseAttentionIsRightInEveryDtype) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    EXPECT_EQ(Check(MaterialisedDense(), AllBlocks(8, 32), PrunedScore::kExcluded, dtype),
              absl::OkStatus())
        << dtype;
    EXPECT_EQ(Check(Sdpa(), AllBlocks(8, 32), PrunedScore::kExcluded, dtype), absl::OkStatus())
        << dtype;
  }
}

TEST(OracleCheckTest, OtherTreatmentOfPrunedScoresIsWrong) {
  EXPECT_FALSE(Check(Spion(), RandomPattern(8, 32, 15, 3), PrunedScore::kExcluded).ok());
}

TEST(OracleCheckTest, OneBlockTooFewIsWrongInEveryDtype) {
  const BlockPattern without = ImageCfLayer0();
  std::vector<Block> blocks = without.blocks();
  blocks.push_back({5, 20});
  const BlockPattern with = *BlockPattern::FromBlocks(32, 32, blocks);
  // Computed in fp32, so that only the missing block is wrong.
  const AttentionFunction missing = [f = Spion().make(without, at::kCPU)](const at::Tensor& q,
                                                                          const at::Tensor& k,
                                                                          const at::Tensor& v) {
    return f(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat)).to(q.scalar_type());
  };
  const AttentionFunction complete = [f = Spion().make(with, at::kCPU)](const at::Tensor& q,
                                                                        const at::Tensor& k,
                                                                        const at::Tensor& v) {
    return f(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat)).to(q.scalar_type());
  };
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16, at::kHalf}) {
    EXPECT_EQ(CheckAgainstOracle(complete, with, kHeadDim, PrunedScore::kZero, dtype, at::kCPU),
              absl::OkStatus())
        << dtype;
    const absl::Status status =
        CheckAgainstOracle(missing, with, kHeadDim, PrunedScore::kZero, dtype, at::kCPU);
    EXPECT_THAT(std::string(status.message()), HasSubstr("is off by")) << dtype;
  }
}

TEST(SdpaBackendsTest, SayWhyTheyRefuseAndLeaveTheSettingsAlone) {
  int refused = 0;
  for (const Implementation& backend : SdpaBackends()) {
    try {
      Check(backend, AllBlocks(8, 32), PrunedScore::kExcluded).IgnoreError();
    } catch (const c10::Error& error) {
      ++refused;
      EXPECT_THAT(error.what_without_backtrace(),
                  AllOf(HasSubstr(backend.name), Not(HasSubstr("runtime disabled"))));
    }
  }
  EXPECT_EQ(refused, 2) << "the CPU has flash attention only";
  EXPECT_TRUE(at::globalContext().userEnabledMathSDP());
  EXPECT_TRUE(at::globalContext().userEnabledMemEfficientSDP());
}

}  // namespace
}  // namespace spion
