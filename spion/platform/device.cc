#include "spion/platform/device.h"

#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

constexpr double kKibPerMib = 1024;
constexpr double kBytesPerMib = 1024 * 1024;

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

// LibTorch tells a GPU's name only in its CUDA libraries, which a CPU program does not link. The
// driver itself tells it by a plain C function, and is there wherever a GPU is in use; its
// numbering of the devices is LibTorch's.
std::string GpuName(int index) {
  constexpr size_t kLongestName = 256;
  std::array<char, kLongestName> name{};
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver != nullptr) {
    auto* init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
    auto* get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
    auto* get_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
    int device = 0;
    if (init != nullptr && get != nullptr && get_name != nullptr && init(0) == 0 &&
        get(&device, index) == 0 && get_name(name.data(), kLongestName, device) == 0) {
      return name.data();
    }
  }
  return absl::StrCat("CUDA device ", index, " (its name is unknown)");
}

}  // namespace

absl::StatusOr<DeviceChoice> ChooseDevice(absl::string_view text,
                                          absl::FunctionRef<CudaState()> probe) {
  if (text == "cpu") return DeviceChoice{.device = at::kCPU, .reason = ""};
  if (text != "auto" && text != "cuda") {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no device \"", text, "\"; the devices are auto, cpu, cuda"));
  }
  const CudaVerdict verdict = JudgeCuda(probe());
  if (verdict.obstacle.empty()) {
    return DeviceChoice{.device = c10::Device(at::kCUDA, 0), .reason = ""};
  }
  // Days of training on the CPU, beside a GPU, are nobody's wish.
  if (text == "cuda" || verdict.is_fault) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--device=", text, ": ", verdict.is_fault ? "the GPU here cannot be used: " : "",
        verdict.obstacle, ". --device=cpu runs without."));
  }
  return DeviceChoice{.device = at::kCPU, .reason = verdict.obstacle};
}

std::string DeviceName(c10::Device device) {
  if (device.is_cpu()) return absl::StrCat(CpuModel(), " (", at::get_num_threads(), " threads)");
  return GpuName(device.index());
}

void WaitForDevice(c10::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

PeakMemory LargerOf(const PeakMemory& one, const PeakMemory& other) {
  return {.used_mib = std::max(one.used_mib, other.used_mib),
          .reserved_mib = std::max(one.reserved_mib, other.reserved_mib)};
}

PeakMemory GetPeakMemory(c10::Device device) {
  if (device.is_cpu()) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double resident_mib = static_cast<double>(usage.ru_maxrss) / kKibPerMib;
    return {.used_mib = resident_mib, .reserved_mib = resident_mib};
  }
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  const auto peak_mib = [](const auto& stat) {
    return static_cast<double>(stat[0].peak) / kBytesPerMib;
  };
  return {.used_mib = peak_mib(stats.allocated_bytes),
          .reserved_mib = peak_mib(stats.reserved_bytes)};
}

}  // namespace spion
