#include "spion/collective/delayed_any.h"

#include <ATen/ops/full.h>

namespace spion {

bool DelayedAny::Next(bool mine) {
  if (group_.ranks() == 1) return mine;
  bool any = false;
  if (sum_ != nullptr) {
    sum_->Wait();
    any = *wishes_.const_data_ptr<int64_t>() > 0;
  }
  wishes_ = at::full({1}, mine ? 1 : 0, at::kLong);
  sum_ = group_.StartSum(wishes_);
  return any;
}

}  // namespace spion
