#include "spion/platform/upload.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

TEST(UploadTest, OnACpuIsACopy) {
  Upload upload(at::kCPU);
  const at::Tensor to = at::zeros({2});
  upload.Copy(at::tensor({1.0F, 2.0F}), to);
  EXPECT_TRUE(to.equal(at::tensor({1.0F, 2.0F})));
}

}  // namespace
}  // namespace spion
