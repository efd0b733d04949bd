// How operators on the stable ABI refuse: a std::invalid_argument, as they know no c10::Error.
// Python makes a ValueError of it, the functions of spion/ops a c10::Error. Python's torch
// after 2.11 knows no more than the message, so that tells, too: it begins with the operator's
// name, which " failed: " follows where it is the device that has.
#ifndef SPION_OPS_STABLE_REFUSE_H_
#define SPION_OPS_STABLE_REFUSE_H_

#include <stdexcept>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion {

/// Throws the message of `parts`.
template <class... Parts>
[[noreturn]] void Refuse(const Parts&... parts) {
  throw std::invalid_argument(absl::StrCat(parts...));
}

/// Refuses unless `holds`. Parts that cost something to make are for Refuse.
template <class... Parts>
void Check(bool holds, const Parts&... parts) {
  if (!holds) Refuse(parts...);
}

/// Throws the status's message after the operator's name: what was asked for cannot be done, or,
/// a std::runtime_error, the device has failed.
inline void CheckOk(const char* op, const absl::Status& status) {
  if (status.ok()) return;
  if (absl::IsInvalidArgument(status)) {
    throw std::invalid_argument(absl::StrCat(op, ": ", status.message()));
  }
  throw std::runtime_error(absl::StrCat(op, " failed: ", status.message()));
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_REFUSE_H_
