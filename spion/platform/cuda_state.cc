#include "spion/platform/cuda_state.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spion/platform/build_info.h"

namespace spion {
namespace {

constexpr int kNoDevice = 100;  // CUDA_ERROR_NO_DEVICE

// In CUDA's versions: 12020 for 12.2.
constexpr int kMajor = 1000;
constexpr int kMinor = 10;

// Asked of the operator itself.
bool HasKernels() {
  const auto op = c10::Dispatcher::singleton().findSchema({"spion::block_sparse_attention", ""});
  return op.has_value() && op->hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

bool HasDeviceFile() {
  constexpr absl::string_view kPrefix = "nvidia";
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/dev", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (absl::StartsWith(name, kPrefix) && name.size() > kPrefix.size() &&
        std::isdigit(static_cast<unsigned char>(name[kPrefix.size()])) != 0) {
      return true;
    }
  }
  return false;
}

// LibTorch keeps the driver's error to itself, so the driver is asked by its plain C functions.
void AskDriver(CudaState& state) {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return;
  auto* init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  auto* get_version = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDriverGetVersion"));
  using GetText = int (*)(int, const char**);
  auto* get_name = reinterpret_cast<GetText>(dlsym(driver, "cuGetErrorName"));
  auto* get_text = reinterpret_cast<GetText>(dlsym(driver, "cuGetErrorString"));
  if (init == nullptr) return;
  state.driver_result = init(0);
  if (get_version == nullptr || get_version(&state.driver_version) != 0) state.driver_version = 0;
  const char* name = nullptr;
  const char* text = nullptr;
  const bool is_named = get_name != nullptr && get_name(*state.driver_result, &name) == 0 &&
                        get_text != nullptr && get_text(*state.driver_result, &text) == 0;
  state.driver_error =
      is_named ? absl::StrCat(name, " (", text, ")") : absl::StrCat("error ", *state.driver_result);
}

std::string VersionText(int version) {
  return absl::StrCat(version / kMajor, ".", version % kMajor / kMinor);
}

// Where the program itself could use a GPU.
std::string DriverObstacle(const CudaState& state) {
  if (!state.driver_result.has_value()) {
    return state.has_device_file
               ? "the driver's library libcuda.so.1 is missing: install the NVIDIA driver, or "
                 "start the container with it (--gpus=all)"
               : "no NVIDIA GPU was found: there is no driver and no /dev/nvidia0";
  }
  if (*state.driver_result == kNoDevice) {
    if (state.visible_devices.has_value()) {
      return absl::StrCat("CUDA_VISIBLE_DEVICES=", *state.visible_devices, " hides every GPU");
    }
    return state.has_device_file
               ? absl::StrCat("the NVIDIA driver does not see it: ", state.driver_error,
                              "; nvidia-smi says more")
               : "no NVIDIA GPU was found: the driver has none";
  }
  if (*state.driver_result != 0) {
    return absl::StrCat("the NVIDIA driver does not work: ", state.driver_error,
                        "; nvidia-smi says more");
  }
  // Within a major version any driver will do.
  if (state.driver_version > 0 && state.driver_version / kMajor < state.torch_version / kMajor) {
    return absl::StrCat("the NVIDIA driver supports CUDA ", VersionText(state.driver_version),
                        ", LibTorch needs ", VersionText(state.torch_version),
                        ": install a more recent driver");
  }
  return "the NVIDIA driver works, but LibTorch sees no GPU; python3 -c 'import torch; "
         "torch.cuda.init()' may say why";
}

std::string Obstacle(const CudaState& state) {
  if (!state.built_with_nvcc) {
    return "this program was built without nvcc: install the CUDA toolkit, set CUDA_HOME if it is "
           "not in /usr/local/cuda, and build again";
  }
  if (!state.has_kernels) return "this program has no CUDA kernels of SPION";
  if (!state.torch_is_cuda_build) {
    return "this program was built with a LibTorch without CUDA: take LibTorch's CUDA build (see "
           "README.md)";
  }
  return state.torch_sees_gpu ? "" : DriverObstacle(state);
}

}  // namespace

CudaState ProbeCuda() {
  CudaState state;
  state.built_with_nvcc = GetBuildInfo().cuda_version[0] != '\0';
  state.has_kernels = HasKernels();
  state.torch_is_cuda_build = at::Context::hasCUDART();
  state.has_device_file = HasDeviceFile();
  if (state.torch_is_cuda_build)
    state.torch_version = static_cast<int>(at::Context::versionCUDART());
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible != nullptr) state.visible_devices = visible;
  AskDriver(state);
  // Without a driver that works it would only warn.
  state.torch_sees_gpu = state.driver_result == 0 && at::hasCUDA();
  return state;
}

CudaVerdict JudgeCuda(const CudaState& state) {
  CudaVerdict verdict{.obstacle = Obstacle(state), .is_fault = false};
  if (verdict.obstacle.empty()) return verdict;
  const bool is_hidden = state.driver_result == kNoDevice && state.visible_devices.has_value();
  const bool driver_failed = state.driver_result.has_value() && *state.driver_result != kNoDevice;
  verdict.is_fault = !is_hidden && (state.has_device_file || driver_failed);
  return verdict;
}

}  // namespace spion
