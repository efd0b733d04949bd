#include "baselines/nystromformer/sequence_convolution.h"

#include <ATen/ops/conv2d.h>
#include <gtest/gtest.h>

#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

// [heads, kernel]
at::Tensor Filters(int64_t heads, int64_t kernel, uint64_t seed) {
  return RandomHeads(1, 1, heads, kernel, seed).q[0][0];
}

class SequenceConvolutionTest : public ::testing::TestWithParam<int64_t> {};

TEST_P(SequenceConvolutionTest, IsADepthwiseConvolution) {
  for (const int64_t kernel : {1, 5, 35}) {
    const at::Tensor x = RandomHeads(2, 3, GetParam(), 4, 1).v;
    const at::Tensor filters = Filters(3, kernel, 2);
    const at::Tensor expected =
        at::conv2d(x, filters.view({3, 1, kernel, 1}), /*bias=*/{}, /*stride=*/1,
                   /*padding=*/{kernel / 2, 0}, /*dilation=*/1, /*groups=*/3);
    EXPECT_LE(MaxDifference(SequenceConvolution(x, filters), expected), 1e-12) << kernel;
  }
}

TEST_P(SequenceConvolutionTest, GradientsAreThoseOfFiniteDifferences) {
  at::Tensor filters = Filters(2, 5, 3).clone().requires_grad_();
  const auto convolution = [&](const at::Tensor&, const at::Tensor&, const at::Tensor& v) {
    return SequenceConvolution(v, filters);
  };
  EXPECT_LE(GradientError(convolution, RandomHeads(2, 2, GetParam(), 3, 4), {filters}), 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Lengths, SequenceConvolutionTest, ::testing::Values(1, 24, 64, 65, 256));

}  // namespace
}  // namespace spion
