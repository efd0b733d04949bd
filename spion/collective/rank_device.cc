#include "spion/collective/rank_device.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion {

absl::StatusOr<c10::Device> DeviceOfRank(c10::Device device, const Launch& launch, int count) {
  if (device.is_cpu() || launch.ranks == 1) return device;
  if (count == 1) return c10::Device(device.type(), 0);
  if (!launch.local_rank.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        count, " GPUs are visible, and the launcher does not say which one rank ", launch.rank,
        " is to take: set LOCAL_RANK, or let CUDA_VISIBLE_DEVICES name one"));
  }
  if (*launch.local_rank >= count) {
    return absl::FailedPreconditionError(absl::StrCat(
        "rank ", launch.rank, " is number ", *launch.local_rank, " on its host, where ", count,
        " GPUs are visible: start at most one rank a GPU"));
  }
  return c10::Device(device.type(), static_cast<c10::DeviceIndex>(*launch.local_rank));
}

int VisibleDevices(c10::Device device) {
  return device.is_cpu() ? 1 : c10::impl::VirtualGuardImpl(device.type()).deviceCount();
}

void UseDevice(c10::Device device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
}

}  // namespace spion
