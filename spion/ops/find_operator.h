// Operators by name, to be called from C++. Private to spion/ops.
//
//   static const auto op = FindOperator<Tensor(const Tensor&)>("spion::an_operator");
//   return op.call(x);
#ifndef SPION_OPS_FIND_OPERATOR_H_
#define SPION_OPS_FIND_OPERATOR_H_

#include <ATen/core/dispatch/Dispatcher.h>

namespace spion {

/// Throws c10::Error if no operator of this name, or none of this signature, is registered. Takes a
/// lock: find once, call often.
template <class Signature>
c10::TypedOperatorHandle<Signature> FindOperator(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

}  // namespace spion

#endif  // SPION_OPS_FIND_OPERATOR_H_
