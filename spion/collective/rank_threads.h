// Ranks as threads of one process, for tests: connected over Gloo as processes are.
//
//   RunRanks(3, [](Group& group) { ... what each rank does ... });
#ifndef SPION_COLLECTIVE_RANK_THREADS_H_
#define SPION_COLLECTIVE_RANK_THREADS_H_

#include <functional>

#include "spion/collective/group.h"

namespace spion {

/// Returns when all have ended; throws what the first of them threw.
void RunRanks(int ranks, const std::function<void(Group& group)>& rank);

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_THREADS_H_
