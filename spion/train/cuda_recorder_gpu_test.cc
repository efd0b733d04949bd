// Recorded on a GPU, training gives the numbers that it gives step by step.
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spion/nn/parameters.h"
#include "spion/train/device.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/optimizer.h"
#include "spion/train/recorder.h"
#include "spion/train/repeated_work.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);

// Weights after some steps of a small regression with dropout.
at::Tensor Train(Recorder recorder) {
  at::manual_seed(7);
  Parameters parameters(kGpu);
  const at::Tensor weight = parameters.root().Add("w", at::randn({16, 32}));
  Optimizer optimizer(parameters, HyperParameters());
  at::Tensor x = at::rand({64, 32}).to(kGpu);
  const at::Tensor target = at::rand({64, 16}).to(kGpu);
  RepeatedWork work(kGpu, recorder);
  for (int step = 1; step <= 20; ++step) {
    x.add_(0.01);
    optimizer.SetLearningRate(1e-3 * step);
    work.Run([&] {
      const at::Tensor out = at::linear(at::dropout(x, 0.5, /*train=*/true), weight);
      (out - target).square().mean().backward();
      optimizer.Step();
    });
  }
  return weight.detach().cpu();
}

TEST(CudaRecorderTest, ReplaysGiveTheNumbersOfSeparateSteps) {
  const Recorder recorder = FindRecorder(at::kCUDA);
  ASSERT_NE(recorder, nullptr);
  EXPECT_TRUE(Train(recorder).equal(Train(nullptr)));
}

TEST(CudaRecorderTest, WorkThatReadsTheDeviceThrowsAndLeavesTheDeviceUsable) {
  const at::Tensor x = at::ones({4}, at::TensorOptions(kGpu));
  const auto reads_device = [&] { x.sum().item<float>(); };
  EXPECT_THAT([&] { FindRecorder(at::kCUDA)(kGpu, reads_device); },
              testing::ThrowsMessage<c10::Error>(testing::HasSubstr("--cuda_graph=false")));
  EXPECT_EQ(x.add(1).sum().item<float>(), 8);
}

}  // namespace
}  // namespace spion
