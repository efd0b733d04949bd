// A group over LibTorch's Gloo: tensors on the CPU, between processes of any hosts.
#ifndef SPION_COLLECTIVE_GLOO_GROUP_H_
#define SPION_COLLECTIVE_GLOO_GROUP_H_

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <memory>

#include "spion/collective/group.h"

namespace c10d {
class Store;
}

namespace spion {

/// Connects the ranks by way of a store that all of them see. `patience`: how long a call waits for
/// the others. Throws c10::Error where they do not come. GLOO_SOCKET_IFNAME names the network
/// interface where that of the host's name is not the one.
std::unique_ptr<Group> MakeGlooGroup(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                     int ranks, std::chrono::milliseconds patience);

}  // namespace spion

#endif  // SPION_COLLECTIVE_GLOO_GROUP_H_
