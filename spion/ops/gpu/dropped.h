// Dropouts on a GPU whose masks can be told from their results.
#ifndef SPION_OPS_GPU_DROPPED_H_
#define SPION_OPS_GPU_DROPPED_H_

#include <ATen/core/Tensor.h>

#include "spion/ops/gpu/leaf.h"

namespace spion {

/// The probability of all dropouts here.
constexpr double kDropout = 0.1;

/// Numbers of which none is near 0, so that what is dropped can be told.
Leaf MakeBranch(at::IntArrayRef sizes, at::ScalarType dtype);

/// 0 and 1 / (1 - p), from where the dropped numbers are not 0; double, on the CPU.
at::Tensor FactorsOf(const at::Tensor& dropped);

/// Expects as many factors that are not 0 as chance allows.
void ExpectKeepRate(const at::Tensor& factors);

}  // namespace spion

#endif  // SPION_OPS_GPU_DROPPED_H_
