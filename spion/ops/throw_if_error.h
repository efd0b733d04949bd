// From absl::Status to c10::Error. Private to spion/ops.
#ifndef SPION_OPS_THROW_IF_ERROR_H_
#define SPION_OPS_THROW_IF_ERROR_H_

#include <c10/util/Exception.h>

#include <string>

#include "absl/status/status.h"

namespace spion {

/// Throws c10::Error with the status's message, after the operator's name.
inline void ThrowIfError(const char* op, const absl::Status& status) {
  TORCH_CHECK(status.ok(), op, ": ", std::string(status.message()));
}

}  // namespace spion

#endif  // SPION_OPS_THROW_IF_ERROR_H_
