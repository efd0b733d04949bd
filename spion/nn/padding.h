// Which positions of a padded batch are real.
#ifndef SPION_NN_PADDING_H_
#define SPION_NN_PADDING_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// lengths: int32 [B]. Returns bool [B, length] on its device, true at positions below lengths[b].
at::Tensor ValidPositions(const at::Tensor& lengths, int64_t length);

}  // namespace spion

#endif  // SPION_NN_PADDING_H_
