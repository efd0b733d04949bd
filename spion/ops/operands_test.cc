#include "spion/ops/operands.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace spion {
namespace {

using at::Tensor;
using ::testing::HasSubstr;

// [4, 8] from a multiple of 16 bytes.
Tensor Matrix() { return at::arange(32, at::kFloat).view({4, 8}); }
// The same numbers as of `rows`, four bytes further on.
Tensor Moved(const Tensor& rows) {
  return at::empty({rows.numel() + 1}, rows.options())
      .narrow(0, 1, rows.numel())
      .view(rows.sizes())
      .copy_(rows);
}

auto Says(const char* text) {
  return testing::Throws<c10::Error>(testing::Property(&c10::Error::msg, HasSubstr(text)));
}

TEST(OperandTest, ViewsAreCopiedAndOthersAreNot) {
  const Tensor x = Matrix();
  const auto operand = [&](const Tensor& of) {
    return Operand("Op", "x", of, at::kFloat, of.sizes(), at::kCPU);
  };
  EXPECT_TRUE(operand(x).is_same(x));
  for (const Tensor& view : {x.t(), Moved(x)}) {
    const Tensor rows = operand(view);
    EXPECT_FALSE(rows.is_same(view));
    EXPECT_TRUE(rows.is_contiguous());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(rows.data_ptr()) % 16, 0);
    EXPECT_TRUE(rows.equal(view));
  }
}

TEST(OperandTest, AnotherSizeTypeOrNoneIsNamed) {
  const auto check = [](const Tensor& x) {
    return [&x] { CheckOperand("Op", "x", x, at::kFloat, {4, 8}, at::kCPU); };
  };
  EXPECT_NO_THROW(check(Matrix())());
  EXPECT_THAT(check(Matrix().t()), Says("Op: x must be Float [4, 8] on cpu; got Float [8, 4]"));
  EXPECT_THAT(check(Matrix().to(at::kDouble)), Says("got Double [4, 8]"));
  EXPECT_THAT(check(Tensor()), Says("got an undefined tensor"));
}

TEST(ParameterTest, IsReadInPlaceOrRefused) {
  const auto data = [](const Tensor& weight) {
    return ParameterData("Op", "weight", weight, weight.sizes(), at::kCPU);
  };
  const Tensor weight = Matrix();
  EXPECT_EQ(data(weight), weight.const_data_ptr<float>());
  EXPECT_THAT(
      [&] { data(weight.t()); },
      Says("Op: weight must be contiguous, from a multiple of 16 bytes; got strides [1, 8];"));
  EXPECT_THAT([&] { data(Moved(weight)); }, Says("got strides [8, 1] from elsewhere;"));
}

}  // namespace
}  // namespace spion
