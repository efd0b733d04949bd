// Random tensors for comparisons of a GPU with double on the CPU.
#ifndef SPION_OPS_GPU_LEAF_H_
#define SPION_OPS_GPU_LEAF_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// The same numbers on both sides, each wanting gradients.
struct Leaf {
  at::Tensor gpu;
  at::Tensor wide;  // double, on the CPU
};

/// Normal numbers around `mean`, rounded to `dtype`.
Leaf MakeLeaf(at::IntArrayRef sizes, double mean = 0, at::ScalarType dtype = at::kFloat);

/// |result - expected| / |expected|, Euclidean; expected as Leaf::wide.
double RelativeError(const at::Tensor& result, const at::Tensor& expected);

}  // namespace spion

#endif  // SPION_OPS_GPU_LEAF_H_
