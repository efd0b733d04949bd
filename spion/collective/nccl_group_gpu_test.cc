// The group of GPUs, of one rank: that its exchanges may stand between recordings, on the stream of
// what comes before and after them. What several ranks exchange takes several GPUs.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/Device.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "spion/collective/device_group.h"
#include "spion/collective/gloo_group.h"
#include "spion/platform/recorder.h"
#include "spion/platform/repeated_work.h"

namespace spion {
namespace {

const c10::Device kGpu(at::kCUDA, 0);
constexpr std::chrono::minutes kPatience(1);

std::unique_ptr<Group> MakeGroup() {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  const DeviceGroupMaker make = FindDeviceGroup(at::kCUDA);
  if (make == nullptr) return nullptr;  // a build without NCCL
  return make(store, kGpu, kPatience, MakeGlooGroup(store, 0, 1, kPatience));
}

TEST(NcclGroupTest, TakesTensorsOfTheCpuAndOfTheGpu) {
  const std::unique_ptr<Group> group = MakeGroup();
  if (group == nullptr) GTEST_SKIP() << "built without NCCL";
  for (const c10::Device device : {c10::Device(at::kCPU), kGpu}) {
    for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong}) {
      const at::Tensor tensor = at::full({1000}, 7, at::TensorOptions(type).device(device));
      group->Sum(tensor);
      group->Broadcast(tensor);
      EXPECT_TRUE(tensor.eq(7).all().item<bool>()) << device << " " << type;
    }
  }
  EXPECT_TRUE(group->Any(true));
  const at::Tensor started = at::full({3}, 7, at::kLong);
  group->StartSum(started)->Wait();
  EXPECT_TRUE(started.eq(7).all().item<bool>());
}

TEST(NcclGroupTest, ExchangesBetweenRecordings) {
  const std::unique_ptr<Group> group = MakeGroup();
  if (group == nullptr) GTEST_SKIP() << "built without NCCL";
  const at::Tensor step = at::zeros({1 << 20}, at::TensorOptions(at::kFloat).device(kGpu));
  const at::Tensor sum = at::zeros_like(step);
  const at::Tensor gradient = at::zeros_like(step);
  RepeatedWork before(kGpu, FindRecorder(at::kCUDA));
  RepeatedWork after(kGpu, FindRecorder(at::kCUDA));
  constexpr int kSteps = 40;
  for (int i = 1; i <= kSteps; ++i) {
    before.Run(0, [&] {
      at::Tensor next = step;
      next.add_(1);
      at::Tensor filled = gradient;
      filled.copy_(step);
    });
    group->Sum(gradient);
    after.Run(0, [&] {
      at::Tensor total = sum;
      total.add_(gradient);
    });
  }
  EXPECT_TRUE(before.has_recorded());
  EXPECT_TRUE(after.has_recorded());
  EXPECT_TRUE(sum.eq(kSteps * (kSteps + 1) / 2).all().item<bool>());
}

}  // namespace
}  // namespace spion
