// Whether any rank wishes something, asked at each call and answered at the next, so that no rank
// waits for the others: an answer at once costs a step more than its work on a GPU may take.
//
//   DelayedAny stop(group);
//   while (!stop.Next(interrupt.raised())) Step();
#ifndef SPION_COLLECTIVE_DELAYED_ANY_H_
#define SPION_COLLECTIVE_DELAYED_ANY_H_

#include <ATen/core/Tensor.h>

#include <memory>

#include "spion/collective/group.h"

namespace spion {

class DelayedAny {
 public:
  /// The group outlives it.
  explicit DelayedAny(Group& group) : group_(group) {}

  /// Tells the others `mine`, and returns whether any rank told `true` at the call before: the same
  /// on every rank. A rank alone hears itself at once. Throws RankLost.
  bool Next(bool mine);

 private:
  Group& group_;
  at::Tensor wishes_;  // how many ranks, once the sum is there
  std::unique_ptr<Group::StartedSum> sum_;
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_DELAYED_ANY_H_
