#include "spion/ops/stable/allocate.h"

#include <gtest/gtest.h>
#include <torch/csrc/stable/ops.h>

#include <vector>

namespace spion {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

Tensor Like() { return torch::stable::empty({1}, ScalarType::BFloat16); }

std::vector<int64_t> Strides(const Tensor& tensor) {
  return {tensor.strides().begin(), tensor.strides().end()};
}

TEST(AllocateTest, IsOfTheOthersDtypeOrOfFloats) {
  EXPECT_EQ(Allocate(Like(), {2, 3}).scalar_type(), ScalarType::BFloat16);
  EXPECT_EQ(AllocateFloats(Like(), {2, 3}).scalar_type(), ScalarType::Float);
  EXPECT_EQ(Allocate(Like(), {2, 3}).numel(), 6);
}

TEST(AllocateTest, LiesInMemoryByTheOrderOfItsDimensions) {
  EXPECT_EQ(Strides(Allocate(Like(), {2, 3, 4})), (std::vector<int64_t>{12, 4, 1}));
  EXPECT_EQ(Strides(Allocate(Like(), {2, 3, 4}, {2, 0, 1})), (std::vector<int64_t>{3, 1, 6}));
  // As LibTorch has the strides of what is empty.
  EXPECT_EQ(Strides(Allocate(Like(), {2, 0, 4})), (std::vector<int64_t>{4, 4, 1}));
}

TEST(AllocateTest, SaysWhatThereIsNoMemoryFor) {
  try {
    AllocateFloats(Like(), {int64_t{1} << 40, 4096});
    FAIL() << "such a machine is not known";
  } catch (const std::bad_alloc& error) {
    EXPECT_STREQ(
        error.what(),
        "out of memory: the CPU has none for a tensor of [1099511627776, 4096] (torch's own "
        "message is on stderr); take a smaller batch, or free tensors");
  }
}

TEST(CopyTest, IsContiguousWithTheSameNumbers) {
  Tensor numbers = torch::stable::empty({2, 3}, ScalarType::Float);
  auto* values = static_cast<float*>(numbers.mutable_data_ptr());
  for (int i = 0; i < 6; ++i) values[i] = static_cast<float>(i);
  const Tensor copy = Copy(torch::stable::transpose(numbers, 0, 1));
  EXPECT_TRUE(copy.is_contiguous());
  const auto* copied = static_cast<const float*>(copy.const_data_ptr());
  EXPECT_EQ(std::vector<float>(copied, copied + 6), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(CopyTest, SaysThatThereIsNoMemory) {
  const Tensor one = torch::stable::empty({1}, ScalarType::Float);
  // A stride of 0: nothing of that size is there.
  const int64_t sizes[] = {int64_t{1} << 52}, strides[] = {0};
  AtenTensorHandle expanded = nullptr;
  ASSERT_EQ(aoti_torch_as_strided(one.get(), sizes, strides, &expanded), TORCH_SUCCESS);
  EXPECT_THROW(Copy(Tensor(expanded)), OutOfMemory);
}

}  // namespace
}  // namespace spion
