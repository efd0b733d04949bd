// What the GPU does not support is refused by name, and nothing is left behind.
#include <ATen/ops/tensor.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "spion/ops/attention_map.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/gpu/error_rule.h"
#include "spion/ops/gpu/framework_attention.h"
#include "spion/ops/gpu/gpu.h"
#include "spion/ops/gpu/precision_case.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr AttentionShape kShape{.batch = 3, .heads = 2, .length = 128, .head_dim = 32};
constexpr int kBlock = 32;

/// The error's message in lower case, or "no error".
template <class Call>
std::string MessageOf(const Call& call) {
  std::string message = "no error";
  try {
    call();
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  }
  std::transform(message.begin(), message.end(), message.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return message;
}

class GpuBadInputTest : public ::testing::Test {
 protected:
  /// A refused call must leave no memory behind, and the device fit for the next call.
  void TearDown() override {
    EXPECT_EQ(AllocatedBytes(), bytes_before_);
    const at::Tensor out =
        BlockSparseAttention(q_, q_, q_, pattern_, std::nullopt, PrunedScore::kZero);
    EXPECT_TRUE(out.isfinite().all().item<bool>());
  }

  static int64_t AllocatedBytes() {
    const auto stats = c10::getDeviceAllocator(Gpu().type())->getDeviceStats(Gpu().index());
    return stats.allocated_bytes[0].current;
  }

  std::string Message(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                      const PatternTensors& pattern,
                      const std::optional<at::Tensor>& padding = std::nullopt) {
    return MessageOf([&] { BlockSparseAttention(q, k, v, pattern, padding, PrunedScore::kZero); });
  }

  PrecisionCase case_ = MakePrecisionCase(
      TestPrecision::kBf16, kShape, CasePadding::kNone, 1, 1,
      {DiagonalOnly(static_cast<int>(kShape.length) / kBlock, kBlock)}, PrunedScore::kZero);
  at::Tensor q_ = ToTensors(case_, Gpu()).q.detach();
  PatternTensors pattern_ = ToTensors(case_.patterns, Gpu());
  int64_t bytes_before_ = AllocatedBytes();
};

TEST_F(GpuBadInputTest, HeadDimension) {
  const at::Tensor q = q_.slice(3, 0, 24).contiguous();
  EXPECT_THAT(Message(q, q, q, pattern_), AllOf(HasSubstr("24"), HasSubstr("16"), HasSubstr("32"),
                                                HasSubstr("64"), HasSubstr("128")));
}

TEST_F(GpuBadInputTest, ElementType) {
  const at::Tensor q = q_.to(at::kDouble);
  EXPECT_THAT(Message(q, q, q, pattern_),
              AllOf(HasSubstr("double"), HasSubstr("bfloat16"), HasSubstr("float")));
  EXPECT_THAT(Message(q_, q_.to(at::kHalf), q_, pattern_),
              AllOf(HasSubstr("k must have q's dtype"), HasSubstr("half")));
}

TEST_F(GpuBadInputTest, Devices) {
  const at::Tensor host = q_.cpu();
  EXPECT_THAT(Message(q_, host, q_, pattern_), AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
  EXPECT_THAT(Message(q_, q_, host, pattern_), AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
  EXPECT_THAT(Message(host, q_, q_, pattern_), AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
  EXPECT_THAT(Message(q_, q_, q_, ToTensors(case_.patterns, at::kCPU)),
              AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
  const at::Tensor fp32 = host.to(at::kFloat);
  EXPECT_THAT(Message(fp32, fp32, fp32, pattern_), AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
}

TEST_F(GpuBadInputTest, Lengths) {
  const at::Tensor odd = q_.slice(2, 0, 100);
  EXPECT_THAT(Message(odd, odd, odd, pattern_),
              AllOf(HasSubstr("100"), HasSubstr("multiple of block_size 32")));
  const at::Tensor shorter = q_.slice(2, 0, 96);
  EXPECT_THAT(Message(shorter, shorter, shorter, pattern_), HasSubstr("does not fit"));
  EXPECT_THAT(Message(q_, shorter, q_, pattern_), HasSubstr("k must have q's sizes"));
  EXPECT_THAT(Message(q_[0], q_[0], q_[0], pattern_),
              HasSubstr("[batch, heads, length, head_dim]"));
}

TEST_F(GpuBadInputTest, PatternsThatFitNeitherOneNorAllHeads) {
  const std::vector<BlockPattern> three(3, case_.patterns[0]);
  EXPECT_THAT(Message(q_, q_, q_, ToTensors(three, Gpu())), AllOf(HasSubstr("3"), HasSubstr("2")));
}

TEST_F(GpuBadInputTest, Padding) {
  EXPECT_THAT(Message(q_, q_, q_, pattern_, at::tensor({1, 2, 3}, at::kInt)), HasSubstr("padding"));
  EXPECT_THAT(Message(q_, q_, q_, pattern_, at::tensor({1, 2}, at::kInt).to(Gpu())),
              HasSubstr("lengths [3]"));
  EXPECT_THAT(Message(q_, q_, q_, pattern_, at::tensor({1.0, 2.0, 3.0}).to(Gpu())),
              HasSubstr("int32"));
}

TEST_F(GpuBadInputTest, RowsWithoutUnitStride) {
  const at::Tensor transposed = q_.transpose(2, 3).contiguous().transpose(2, 3);
  EXPECT_THAT(Message(transposed, q_, q_, pattern_), HasSubstr("stride 1"));
}

TEST_F(GpuBadInputTest, MapRefusesTheSame) {
  EXPECT_THAT(MessageOf([&] { MeanAttentionMap(q_, q_.cpu(), std::nullopt); }),
              AllOf(HasSubstr("cpu"), HasSubstr("cuda")));
  const at::Tensor narrow = q_.slice(3, 0, 24).contiguous();
  EXPECT_THAT(MessageOf([&] { MeanAttentionMap(narrow, narrow, std::nullopt); }),
              AllOf(HasSubstr("24"), HasSubstr("128")));
  const at::Tensor wide = q_.to(at::kDouble);
  EXPECT_THAT(MessageOf([&] { MeanAttentionMap(wide, wide, std::nullopt); }),
              AllOf(HasSubstr("double"), HasSubstr("float")));
}

TEST(GpuBlockSizeTest, ABlockOf48IsRightOrRefusedByName) {
  // The CPU takes every multiple of 16; the GPU promises 16, 32, 64 and 128.
  const AttentionShape shape = {.batch = 1, .heads = 1, .length = 144, .head_dim = 32};
  const PrecisionCase c = MakePrecisionCase(TestPrecision::kBf16, shape, CasePadding::kNone, 1, 1,
                                            {LongColumns(3, 48)}, PrunedScore::kZero);
  AttentionResult result;
  const std::string message = MessageOf([&] { result = RunOperator(c, Gpu()); });
  if (message == "no error") {
    ExpectAsAccurateAsFramework(c, result, RunFramework(c, Gpu()), RunOracle(c));
  } else {
    EXPECT_THAT(message, AllOf(HasSubstr("48"), HasSubstr("16"), HasSubstr("32"), HasSubstr("64"),
                               HasSubstr("128")));
  }
}

}  // namespace
}  // namespace spion
