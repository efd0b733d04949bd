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

#include <cstdlib>
#include <iostream>

#include "spion/nn/parameters.h"
#include "spion/platform/device.h"
#include "spion/platform/recorder.h"
#include "spion/platform/repeated_work.h"
#include "spion/train/hyper_parameters.h"
#include "spion/train/optimizer.h"

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
    work.Run(/*key=*/0, [&] {
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

// In a process of its own, for no random numbers can be drawn after it.
TEST(CudaRecorderDeathTest, WorkThatReadsTheDeviceThrowsAndLeavesTheDeviceUsable) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const at::Tensor x = at::ones({4}, at::TensorOptions(kGpu));
  const auto record = [&] {
    try {
      FindRecorder(at::kCUDA)(kGpu, [&] { x.sum().item<float>(); });
    } catch (const c10::Error& error) {
      std::cerr << error.what_without_backtrace();
    }
    std::_Exit(x.add(1).sum().item<float>() == 8 ? 0 : 1);
  };
  EXPECT_EXIT(record(), testing::ExitedWithCode(0), testing::HasSubstr("--cuda_graph=false"));
}

}  // namespace
}  // namespace spion
