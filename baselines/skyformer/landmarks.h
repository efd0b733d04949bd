// The landmarks of a Nystrom approximation: queries and keys drawn from all that are not padding.
#ifndef BASELINES_SKYFORMER_LANDMARKS_H_
#define BASELINES_SKYFORMER_LANDMARKS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "spion/nn/attention.h"

namespace spion {

/// Positions in the stacked [q; k], int64 [B, count]: p below `length` is query p, the others are
/// keys p - length. Drawn uniformly without replacement from those below lengths[b] (all, without
/// lengths); an example with fewer than `count` of them repeats them in the order in which they
/// were drawn; one with none gets a padded position. Draws from LibTorch's generator of `device`;
/// nothing is read on the host, so it does not wait for a GPU. Throws c10::Error if there are fewer
/// than `count` positions in all.
at::Tensor DrawLandmarks(int64_t batch, int64_t length, int64_t count, const Lengths& lengths,
                         c10::Device device);

/// The rows of the stacked [q; k] at those positions, the same for all heads: [B, H, count, d].
/// Differentiable; on a GPU the gradients of rows taken more than once are added in no fixed order.
at::Tensor TakeLandmarks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& positions);

}  // namespace spion

#endif  // BASELINES_SKYFORMER_LANDMARKS_H_
