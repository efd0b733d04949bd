// PatternTensors as an object that LibTorch's operators take: torch.classes.spion.BlockPattern.
// Private to spion/ops.
#ifndef SPION_OPS_PATTERN_OBJECT_H_
#define SPION_OPS_PATTERN_OBJECT_H_

#include <ATen/core/ivalue.h>

#include <utility>

#include "spion/ops/pattern_tensors.h"

namespace spion {

struct PatternObject : torch::CustomClassHolder {
  explicit PatternObject(PatternTensors pattern) : tensors(std::move(pattern)) {}

  PatternTensors tensors;
};

using PatternPointer = c10::intrusive_ptr<PatternObject>;

/// Makes the class known to LibTorch, once. Operators that take one are registered while the
/// program starts, file by file in no certain order: each of those files calls this first.
void RegisterPatternObject();

}  // namespace spion

#endif  // SPION_OPS_PATTERN_OBJECT_H_
