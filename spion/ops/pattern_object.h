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

}  // namespace spion

#endif  // SPION_OPS_PATTERN_OBJECT_H_
