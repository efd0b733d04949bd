// Groups whose tensors may also lie on a kind of device. Such a kind registers itself
// (nccl_group.cc), so that a program for the CPU links no CUDA library.
#ifndef SPION_COLLECTIVE_DEVICE_GROUP_H_
#define SPION_COLLECTIVE_DEVICE_GROUP_H_

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <memory>

#include "spion/collective/group.h"

namespace c10d {
class Store;
}

namespace spion {

/// Connects the devices of the ranks, and keeps `on_cpu` for tensors on the CPU. Throws c10::Error.
using DeviceGroupMaker = std::unique_ptr<Group> (*)(const c10::intrusive_ptr<c10d::Store>& store,
                                                    c10::Device device,
                                                    std::chrono::milliseconds patience,
                                                    std::unique_ptr<Group> on_cpu);

/// Null where this program has none for the kind of device.
DeviceGroupMaker FindDeviceGroup(c10::DeviceType type);

/// At most one for a kind of device.
void RegisterDeviceGroup(c10::DeviceType type, DeviceGroupMaker maker);

}  // namespace spion

#endif  // SPION_COLLECTIVE_DEVICE_GROUP_H_
