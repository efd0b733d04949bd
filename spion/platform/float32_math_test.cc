#include "spion/platform/float32_math.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

TEST(LibTorchFloat32MathTest, IsExactUnlessTf32IsAllowed) {
  EXPECT_EQ(LibTorchFloat32Math(), Float32Math::kExact);
  at::globalContext().setAllowTF32CuBLAS(true);
  EXPECT_EQ(LibTorchFloat32Math(), Float32Math::kTf32);
  at::globalContext().setAllowTF32CuBLAS(false);
  EXPECT_EQ(LibTorchFloat32Math(), Float32Math::kExact);
}

}  // namespace
}  // namespace spion
