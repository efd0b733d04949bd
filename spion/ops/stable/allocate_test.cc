#include "spion/ops/stable/allocate.h"

#include <gtest/gtest.h>
#include <torch/csrc/stable/ops.h>

namespace spion {
namespace {

using torch::headeronly::ScalarType;

TEST(AllocateTest, IsOfTheOthersDtypeUnlessToldOtherwise) {
  const torch::stable::Tensor like = torch::stable::empty({1}, ScalarType::BFloat16);
  EXPECT_EQ(Allocate(like, {2, 3}).scalar_type(), ScalarType::BFloat16);
  EXPECT_EQ(Allocate(like, {2, 3}, ScalarType::Float).scalar_type(), ScalarType::Float);
  EXPECT_EQ(Allocate(like, {2, 3}).numel(), 6);
}

TEST(AllocateTest, SaysWhatThereIsNoMemoryFor) {
  const torch::stable::Tensor like = torch::stable::empty({1}, ScalarType::Float);
  try {
    Allocate(like, {int64_t{1} << 40, 4096});
    FAIL() << "such a machine is not known";
  } catch (const std::bad_alloc& error) {
    EXPECT_STREQ(
        error.what(),
        "out of memory: the CPU has none for a tensor of [1099511627776, 4096] (torch's own "
        "message is on stderr); take a smaller batch, or free tensors");
  }
}

}  // namespace
}  // namespace spion
