#include "benchmarks/peak_bytes.h"

#include <c10/core/CachingDeviceAllocator.h>

namespace spion {

int64_t PeakBytes(c10::Device device, absl::FunctionRef<void()> run) {
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  c10::DeviceAllocator* allocator = c10::getDeviceAllocator(device.type());
  const auto allocated = [&] {
    return allocator->getDeviceStats(device.index()).allocated_bytes[kAll];
  };
  allocator->resetPeakStats(device.index());
  const int64_t before = allocated().current;
  run();
  return allocated().peak - before;
}

}  // namespace spion
