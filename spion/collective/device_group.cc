#include "spion/collective/device_group.h"

#include <map>

namespace spion {
namespace {

std::map<c10::DeviceType, DeviceGroupMaker>& Makers() {
  static auto* makers = new std::map<c10::DeviceType, DeviceGroupMaker>;
  return *makers;
}

}  // namespace

DeviceGroupMaker FindDeviceGroup(c10::DeviceType type) {
  const auto found = Makers().find(type);
  return found == Makers().end() ? nullptr : found->second;
}

void RegisterDeviceGroup(c10::DeviceType type, DeviceGroupMaker maker) { Makers()[type] = maker; }

}  // namespace spion
