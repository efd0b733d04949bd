// Calls of the operators of spion/ops/stable. Private to spion/ops.
#ifndef SPION_OPS_STABLE_CALL_H_
#define SPION_OPS_STABLE_CALL_H_

#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>

namespace spion {

/// What `call` returns. What the operator throws knows no LibTorch: it becomes a c10::Error, and
/// where memory is out a c10::OutOfMemoryError.
template <class Call>
auto CallStable(const Call& call) {
  try {
    return call();
  } catch (const std::invalid_argument& error) {
    TORCH_CHECK(false, error.what());
  } catch (const std::bad_alloc& error) {
    TORCH_CHECK_WITH(OutOfMemoryError, false, error.what());
  } catch (const std::runtime_error& error) {
    TORCH_CHECK(false, error.what());
  }
}

}  // namespace spion

#endif  // SPION_OPS_STABLE_CALL_H_
