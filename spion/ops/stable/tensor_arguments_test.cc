#include "spion/ops/stable/tensor_arguments.h"

#include <gtest/gtest.h>
#include <torch/csrc/stable/ops.h>

#include <vector>

namespace spion {
namespace {

using torch::stable::Tensor;

// Of a device that has no memory: these would be some 5 and 14 GB.
Tensor Like(int64_t heads) {
  return torch::stable::empty({1, heads, 1024, 32}, torch::headeronly::ScalarType::BFloat16,
                              std::nullopt,
                              torch::stable::Device(torch::headeronly::DeviceType::Meta));
}

std::vector<int64_t> Strides(const Tensor& tensor) {
  return {tensor.strides().begin(), tensor.strides().end()};
}

TEST(HeadLayoutTest, HeadsStayWithinAGpusReach) {
  const int64_t length = 1024, dim = 32;
  EXPECT_EQ(Strides(EmptyHeads(Like(60000))),
            (std::vector<int64_t>{length * 60000 * dim, dim, 60000 * dim, 1}));
  EXPECT_TRUE(EmptyHeads(Like(70000)).is_contiguous());
}

TEST(HeadLayoutTest, GradientsLieSideBySideWhereTheyStayWithinAGpusReach) {
  EXPECT_TRUE(EmptyGradients(Like(20000)).is_contiguous());
  const Tensor apart = EmptyGradients(Like(60000));
  const int64_t head = 1024 * 32, part = 60000 * head;
  EXPECT_EQ(SizesOf(apart), "[1, 1024, 3, 60000, 32]");
  EXPECT_EQ(Strides(apart), (std::vector<int64_t>{part, 32, part, head, 1}));
}

TEST(HeadLayoutTest, GradientsOfNothingAreNowhere) {
  const Tensor none = torch::stable::empty({0, 2, 64, 32}, torch::headeronly::ScalarType::Float);
  const Tensor gradients = EmptyGradients(none);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(GradientOf<float>(gradients, i).data, nullptr);
}

}  // namespace
}  // namespace spion
