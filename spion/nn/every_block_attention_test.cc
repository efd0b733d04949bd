// On the CPU, where it is LibTorch's attention; every_block_attention_gpu_test.cc has the kernels.
#include "spion/nn/every_block_attention.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/seed.h"
#include "spion/testing/tolerance.h"

namespace spion {
namespace {

constexpr int64_t kBatch = 3;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 16;

class EveryBlockAttentionTest : public ::testing::TestWithParam<int64_t> {
 protected:
  AttentionShape Shape() const { return {kBatch, kHeads, GetParam(), kHeadDim}; }

  static at::Tensor ToTensor(std::vector<float>& values, const AttentionShape& shape) {
    return at::from_blob(values.data(), {shape.batch, shape.heads, shape.length, shape.head_dim});
  }

  // Of all queries before the lengths, in double against loops.
  void ExpectSoftmaxOverValidKeys(CasePadding padding) {
    AttentionCase c = MakeAttentionCase(Shape(), padding, /*deviation=*/1, TestSeed(21));
    const auto in_double = [](const std::vector<float>& values) {
      return std::vector<double>(values.begin(), values.end());
    };
    const int64_t length = GetParam();
    const reference::Output truth =
        reference::Forward({.batch = kBatch,
                            .heads = kHeads,
                            .length = length,
                            .head_dim = kHeadDim,
                            .scale = c.scale,
                            .pruned = PrunedScore::kExcluded,
                            .patterns = {AllBlocks(static_cast<int>(length / 8), 8)},
                            .lengths = c.lengths,
                            .valid = {},
                            .q = in_double(c.q),
                            .k = in_double(c.k),
                            .v = in_double(c.v)});

    EveryBlockAttention attention(/*layer=*/0, length, at::kCPU);
    const Lengths lengths = c.lengths.empty() ? Lengths() : at::tensor(c.lengths, at::kInt);
    const at::Tensor out = attention
                               .Forward(ToTensor(c.q, c.shape), ToTensor(c.k, c.shape),
                                        ToTensor(c.v, c.shape), lengths)
                               .contiguous();
    std::vector<float> ours;
    std::vector<double> expected;
    const float* const values = out.const_data_ptr<float>();
    for (int64_t row = 0; row < kBatch * kHeads * length; ++row) {
      const int64_t valid = c.lengths.empty() ? length : c.lengths[row / (kHeads * length)];
      if (row % length >= valid) continue;
      ours.insert(ours.end(), values + row * kHeadDim, values + (row + 1) * kHeadDim);
      expected.insert(expected.end(), truth.out.begin() + row * kHeadDim,
                      truth.out.begin() + (row + 1) * kHeadDim);
    }
    const AttentionTolerance tolerance = {.max_score = c.MaxScore(), .terms = length};
    EXPECT_LE(NormError(ours, expected), tolerance.forward());
  }
};

TEST_P(EveryBlockAttentionTest, IsSoftmaxAttention) {
  ExpectSoftmaxOverValidKeys(CasePadding::kNone);
}

TEST_P(EveryBlockAttentionTest, DoesNotSeePadding) {
  ExpectSoftmaxOverValidKeys(CasePadding::kLengths);
}

// Lengths that 16 divides, and one that it does not.
INSTANTIATE_TEST_SUITE_P(Lengths, EveryBlockAttentionTest, ::testing::Values(64, 80, 24));

TEST(WhyNotEveryBlockTest, NamesTheFirstReason) {
  const c10::Device gpu(at::kCUDA, 0);
  EXPECT_EQ(WhyNotEveryBlock(gpu, 1024, 32, /*has_padding=*/false, at::kBFloat16), "");
  EXPECT_EQ(WhyNotEveryBlock(gpu, 1024, 32, /*has_padding=*/true, at::kFloat), "");
  EXPECT_EQ(WhyNotEveryBlock(at::kCPU, 1024, 32, /*has_padding=*/true, at::kBFloat16),
            "the device is a CPU");
  EXPECT_EQ(WhyNotEveryBlock(gpu, 1000, 32, /*has_padding=*/true, at::kBFloat16),
            "16 does not divide the length");
  EXPECT_EQ(WhyNotEveryBlock(gpu, 1024, 48, /*has_padding=*/true, at::kBFloat16),
            "they do not take the head dimension");
  EXPECT_EQ(WhyNotEveryBlock(gpu, 1024, 32, /*has_padding=*/false, at::kFloat),
            "it is the faster one without padding and not in 16 bits");
}

TEST(EveryBlockAttentionOnCpuTest, IsLibTorchsAttentionToTheBit) {
  AttentionCase c = MakeAttentionCase({kBatch, kHeads, 64, kHeadDim}, CasePadding::kLengths,
                                      /*deviation=*/1, TestSeed(22));
  const auto to_tensor = [&](std::vector<float>& values) {
    return at::from_blob(values.data(), {kBatch, kHeads, 64, kHeadDim});
  };
  const at::Tensor q = to_tensor(c.q), k = to_tensor(c.k), v = to_tensor(c.v);
  for (const Lengths& lengths : {Lengths(), Lengths(at::tensor(c.lengths, at::kInt))}) {
    EXPECT_TRUE(EveryBlockAttention(/*layer=*/0, 64, at::kCPU)
                    .Forward(q, k, v, lengths)
                    .equal(FusedDenseAttention().Forward(q, k, v, lengths)));
  }
}

}  // namespace
}  // namespace spion
