// Uploads on a GPU that has long work before it.
#include <ATen/cuda/Sleep.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "spion/platform/upload.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);

at::Tensor Pinned(int64_t count, float value) { return at::full({count}, value).pin_memory(); }

TEST(GpuUploadTest, LiesInTheOrderOfTheStream) {
  constexpr int kBatches = 20;
  constexpr int64_t kCycles = 5'000'000;  // some milliseconds: the next batches come meanwhile
  // Of two sizes, so that where bytes wait is made anew too.
  const std::vector<at::Tensor> to = {at::empty({int64_t{1} << 20}, kGpu),
                                      at::empty({int64_t{1} << 18}, kGpu)};
  Upload upload(kGpu);
  std::vector<at::Tensor> host;
  std::vector<at::Tensor> seen;
  for (int i = 0; i < kBatches; ++i) {
    const at::Tensor& batch = to[i / 3 % 2];
    host.push_back(Pinned(batch.numel(), static_cast<float>(i)));
    upload.Copy(host.back(), batch);
    at::cuda::sleep(kCycles);
    seen.push_back(batch.clone());
  }
  for (int i = 0; i < kBatches; ++i) EXPECT_TRUE(seen[i].cpu().equal(host[i])) << "batch " << i;
}

TEST(GpuUploadTest, BringsPinnedBytesWhileTheGpuWorks) {
  constexpr int64_t kCycles = 1'000'000'000;  // half a second
  const at::Tensor to = at::empty({1024}, kGpu);
  const at::Tensor host = Pinned(1024, 1);
  Upload upload(kGpu);
  upload.Copy(host, to);
  at::cuda::sleep(kCycles);
  upload.Copy(host, to);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const bool has_waited = c10::cuda::getCurrentCUDAStream().query();
  ASSERT_FALSE(has_waited);
  host.fill_(2);  // a copy that lay behind the work would bring this
  EXPECT_TRUE(to.cpu().equal(at::full({1024}, 1.0F)));
}

}  // namespace
}  // namespace spion
