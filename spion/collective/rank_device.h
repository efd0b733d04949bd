// Which of a host's devices a rank takes.
#ifndef SPION_COLLECTIVE_RANK_DEVICE_H_
#define SPION_COLLECTIVE_RANK_DEVICE_H_

#include <c10/core/Device.h>

#include "absl/status/statusor.h"
#include "spion/collective/launch.h"

namespace spion {

/// Of `count` visible devices of the kind of `device`: that of the rank's number on its host, or
/// the one that is visible. `device` itself for the CPU, and where there is one rank alone. Errors:
/// FailedPrecondition where there are too few, or the launcher does not tell the number.
absl::StatusOr<c10::Device> DeviceOfRank(c10::Device device, const Launch& launch, int count);

/// How many are visible of the kind of `device`; 1 for the CPU.
int VisibleDevices(c10::Device device);

/// For all that this thread does from here on.
void UseDevice(c10::Device device);

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_DEVICE_H_
