// Calls of the operators of spion/ops/stable. Private to spion/ops.
#ifndef SPION_OPS_STABLE_CALL_H_
#define SPION_OPS_STABLE_CALL_H_

#include <c10/util/Exception.h>

#include <stdexcept>

namespace spion {

/// What `call` returns. What the operator throws knows no LibTorch: it becomes a c10::Error.
template <class Call>
auto CallStable(const Call& call) {
  try {
    return call();
  } catch (const std::invalid_argument& error) {
    TORCH_CHECK(false, error.what());
  } catch (const std::runtime_error& error) {
    TORCH_CHECK(false, error.what());
  }
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_CALL_H_
