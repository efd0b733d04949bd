#include "spion/nn/padding.h"

#include <ATen/ops/arange.h>

namespace spion {

at::Tensor ValidPositions(const at::Tensor& lengths, int64_t length) {
  return at::arange(length, lengths.options()).unsqueeze(0).lt(lengths.unsqueeze(1));
}

}  // namespace spion
