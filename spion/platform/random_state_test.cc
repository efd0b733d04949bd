#include "spion/platform/random_state.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

TEST(RandomStateTest, GivenBackDrawsTheSameNumbers) {
  at::manual_seed(3);
  at::randn({7});  // an odd number: one of a pair is left over
  const at::Tensor state = RandomState(at::kCPU);
  const at::Tensor first = at::randn({5});
  EXPECT_FALSE(at::randn({5}).equal(first));
  ASSERT_TRUE(SetRandomState(at::kCPU, state).ok());
  EXPECT_TRUE(at::randn({5}).equal(first));
}

TEST(RandomStateTest, RefusesWhatIsNone) {
  const at::Tensor before = RandomState(at::kCPU);
  EXPECT_EQ(SetRandomState(at::kCPU, at::zeros({3}, at::kByte)).code(),
            absl::StatusCode::kDataLoss);
  EXPECT_TRUE(RandomState(at::kCPU).equal(before));
}

}  // namespace
}  // namespace spion
