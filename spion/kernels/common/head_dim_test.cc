#include "spion/kernels/common/head_dim.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace spion {
namespace {

TEST(HeadDimTest, GoesToTheTemplateOfEachThatIsTaken) {
  int taken = 0;
  for (int64_t d = -1; d <= 300; ++d) {
    if (!TakesHeadDim(d)) continue;
    ++taken;
    EXPECT_EQ(DispatchHeadDim(d, []<int kHeadDim>() { return kHeadDim; }), d);
  }
  EXPECT_EQ(taken, 4);
}

}  // namespace
}  // namespace spion
