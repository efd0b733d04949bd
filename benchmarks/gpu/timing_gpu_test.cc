// GPU time and memory, against work whose time and memory are known.
#include <ATen/TensorOperators.h>
#include <ATen/cuda/Sleep.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "benchmarks/gpu/captured_pass.h"
#include "benchmarks/gpu/device_timer.h"
#include "benchmarks/gpu/gpu_info.h"

namespace spion {
namespace {

constexpr int64_t kRuns = 30;
const std::vector<int64_t> kSizes = {4, 2, 1024, 32};  // 1 MiB in fp32

AttentionProblem Problem() { return MakeProblem(kSizes, at::kFloat, at::kCUDA, 1); }

// The simplest function of q, k and v with a gradient for each: one tensor out, one in between.
at::Tensor Sum(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) { return q + k + v; }

TEST(DeviceTimerTest, MeasuresTheGpusWork) {
  DeviceTimer timer(/*flush_bytes=*/0);
  const double once = Median(timer.Time(kRuns, [] { at::cuda::sleep(200'000); }));
  const double twice = Median(timer.Time(kRuns, [] { at::cuda::sleep(400'000); }));
  EXPECT_NEAR(twice / once, 2, 0.1);
}

TEST(DeviceTimerTest, DoesNotCountTheTimeOfLaunching) {
  DeviceTimer timer(/*flush_bytes=*/0);
  const auto launch_slowly = [] {
    std::this_thread::sleep_for(std::chrono::microseconds(5));
    at::cuda::sleep(400'000);
  };
  const double plain = Median(timer.Time(kRuns, [] { at::cuda::sleep(400'000); }));
  EXPECT_NEAR(Median(timer.Time(kRuns, launch_slowly)) / plain, 1, 0.1);
}

TEST(DeviceTimerTest, DoesNotCountTheFlush) {
  DeviceTimer warm(/*flush_bytes=*/0);
  DeviceTimer cold(2 * GetGpuInfo().l2_bytes);
  const auto work = [] { at::cuda::sleep(400'000); };
  EXPECT_NEAR(Median(cold.Time(kRuns, work)) / Median(warm.Time(kRuns, work)), 1, 0.1);
}

TEST(CapturedPassTest, EveryPassIsCapturedAndItsMemoryMeasured) {
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  constexpr int64_t kTensor = int64_t{4} * 2 * 1024 * 32 * sizeof(float);
  // Forward: q + k, then the sum beside it.
  EXPECT_EQ(CapturedPass(Problem(), Sum, Pass::kForward).peak_bytes(), 2 * kTensor);
  // Backward: the gradients of a sum are the incoming one, and take nothing.
  EXPECT_LT(CapturedPass(Problem(), Sum, Pass::kBackward).peak_bytes(), 3 * kTensor);
  CapturedPass both(Problem(), Sum, Pass::kBoth);
  EXPECT_GE(both.peak_bytes(), 2 * kTensor);
  DeviceTimer timer(/*flush_bytes=*/0);
  EXPECT_GT(Median(timer.Time(kRuns, [&] { both.Replay(); })), 0);
}

TEST(CapturedPassTest, AfterAFailedCaptureOthersWork) {
  const auto waits = [](const at::Tensor& q, const at::Tensor&, const at::Tensor&) {
    c10::cuda::getCurrentCUDAStream().synchronize();  // which breaks a capture
    return q + q;
  };
  {
    const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
    EXPECT_THROW(CapturedPass(Problem(), waits, Pass::kForward), c10::Error);
  }
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  CapturedPass(Problem(), Sum, Pass::kForward).Replay();
}

TEST(CopyBandwidthTest, IsThatOfAGpu) {
  DeviceTimer timer(/*flush_bytes=*/0);
  const double bandwidth = CopyBandwidth(timer);
  EXPECT_GT(bandwidth, 1e11);
  EXPECT_LT(bandwidth, 1e14);
}

}  // namespace
}  // namespace spion
