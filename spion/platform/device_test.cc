#include "spion/platform/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spion/platform/cuda_state.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kNoDevice = 100;

// A program with CUDA on a machine without a GPU and without a driver.
CudaState WithoutGpu() {
  CudaState state;
  state.built_with_nvcc = true;
  state.has_kernels = true;
  state.torch_is_cuda_build = true;
  state.torch_version = 13000;
  return state;
}

// The same with a GPU that works.
CudaState WithGpu() {
  CudaState state = WithoutGpu();
  state.torch_sees_gpu = true;
  state.has_device_file = true;
  state.driver_result = 0;
  state.driver_version = 13010;
  return state;
}

CudaState WithDriverError(int result, const std::string& error) {
  CudaState state = WithoutGpu();
  state.driver_result = result;
  state.driver_error = error;
  state.driver_version = 13010;
  return state;
}

absl::StatusOr<DeviceChoice> Choose(const char* text, const CudaState& state) {
  return ChooseDevice(text, [&] { return state; });
}

void ExpectRefusedBothWays(const CudaState& state, const std::string& cause) {
  for (const char* text : {"auto", "cuda"}) {
    const absl::StatusOr<DeviceChoice> choice = Choose(text, state);
    ASSERT_FALSE(choice.ok()) << text << ": " << cause;
    EXPECT_EQ(choice.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(
        std::string(choice.status().message()),
        AllOf(HasSubstr(std::string("--device=") + text + ": the GPU here cannot be used: "),
              HasSubstr(cause), HasSubstr("--device=cpu runs without")));
  }
}

void ExpectCpuByAuto(const CudaState& state, const std::string& reason) {
  const absl::StatusOr<DeviceChoice> choice = Choose("auto", state);
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_TRUE(choice->device.is_cpu());
  EXPECT_THAT(choice->reason, HasSubstr(reason));
  EXPECT_THAT(std::string(Choose("cuda", state).status().message()),
              AllOf(HasSubstr("--device=cuda: "), HasSubstr(reason)));
}

TEST(ChooseDeviceTest, AGpuThatWorksIsTaken) {
  for (const char* text : {"auto", "cuda"}) {
    const absl::StatusOr<DeviceChoice> choice = Choose(text, WithGpu());
    ASSERT_TRUE(choice.ok()) << choice.status();
    EXPECT_EQ(choice->device, c10::Device(at::kCUDA, 0));
    EXPECT_EQ(choice->reason, "");
  }
}

TEST(ChooseDeviceTest, TheCpuIsTakenWithoutALook) {
  const auto probe = []() -> CudaState {
    ADD_FAILURE() << "asked";
    return {};
  };
  EXPECT_TRUE(ChooseDevice("cpu", probe)->device.is_cpu());
  EXPECT_EQ(ChooseDevice("gpu", probe).status().message(),
            "there is no device \"gpu\"; the devices are auto, cpu, cuda");
}

TEST(ChooseDeviceTest, WithoutAGpuAutoTakesTheCpuAndSaysSo) {
  ExpectCpuByAuto(WithoutGpu(), "no NVIDIA GPU was found: there is no driver");
  ExpectCpuByAuto(WithDriverError(kNoDevice, "CUDA_ERROR_NO_DEVICE"),
                  "no NVIDIA GPU was found: the driver has none");
  CudaState plain = WithoutGpu();
  plain.built_with_nvcc = false;
  ExpectCpuByAuto(plain, "built without nvcc");
}

TEST(ChooseDeviceTest, AGpuThatTheUserHidIsNoFault) {
  for (const char* devices : {"", "-1"}) {
    CudaState state = WithDriverError(kNoDevice, "CUDA_ERROR_NO_DEVICE");
    state.has_device_file = true;
    state.visible_devices = devices;
    ExpectCpuByAuto(state, std::string("CUDA_VISIBLE_DEVICES=") + devices + " hides every GPU");
  }
}

TEST(ChooseDeviceTest, ADriverThatFailsIsAnError) {
  ExpectRefusedBothWays(WithDriverError(999, "CUDA_ERROR_UNKNOWN (unknown error)"),
                        "the NVIDIA driver does not work: CUDA_ERROR_UNKNOWN (unknown error)");
  CudaState state = WithDriverError(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (mismatch)");
  state.visible_devices = "0";
  ExpectRefusedBothWays(state, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
}

TEST(ChooseDeviceTest, AGpuThatNothingCanUseIsAnError) {
  CudaState state = WithoutGpu();
  state.has_device_file = true;
  ExpectRefusedBothWays(state, "libcuda.so.1 is missing");
  state.driver_result = kNoDevice;
  state.driver_error = "CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)";
  ExpectRefusedBothWays(state, "the NVIDIA driver does not see it: CUDA_ERROR_NO_DEVICE");

  state = WithGpu();
  state.torch_sees_gpu = false;
  ExpectRefusedBothWays(state, "LibTorch sees no GPU");
  state.driver_version = 12020;
  ExpectRefusedBothWays(state, "supports CUDA 12.2, LibTorch needs 13.0");
}

TEST(ChooseDeviceTest, AProgramWithoutCudaBesideAGpuIsAnError) {
  CudaState state = WithGpu();
  state.torch_is_cuda_build = false;
  ExpectRefusedBothWays(state, "a LibTorch without CUDA");
  state.has_kernels = false;
  ExpectRefusedBothWays(state, "no CUDA kernels of SPION");
  state.built_with_nvcc = false;
  ExpectRefusedBothWays(state, "built without nvcc");
}

// This test links no CUDA: whatever the machine has, a GPU is never taken.
TEST(ChooseDeviceTest, LooksAtThisMachine) {
  const CudaState state = ProbeCuda();
  EXPECT_FALSE(state.torch_is_cuda_build);
  EXPECT_FALSE(state.torch_sees_gpu);
  EXPECT_FALSE(JudgeCuda(state).obstacle.empty());
}

}  // namespace
}  // namespace spion
