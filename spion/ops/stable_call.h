// Calls of the operators of spion/ops/stable, and what they ask of tensors before. Private to
// spion/ops.
#ifndef SPION_OPS_STABLE_CALL_H_
#define SPION_OPS_STABLE_CALL_H_

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>

namespace spion {

/// Throws unless the operators are for such tensors at all: the dispatcher's own words for others
/// are a list of all its backends.
inline void CheckPlain(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.defined(), op, ": ", name, " is undefined; expected a tensor");
  TORCH_CHECK(tensor.layout() == at::kStrided && (tensor.is_cpu() || tensor.is_cuda()), op, ": ",
              name, " is ", tensor.layout(), " on ", tensor.device(),
              "; expected a strided tensor on a CPU or a CUDA GPU");
}

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
