// A permutation of rows whose gradient is the inverse permutation: a gather both ways, where a
// plain gather's gradient would be atomic additions.
#ifndef BASELINES_REFORMER_PERMUTE_ROWS_H_
#define BASELINES_REFORMER_PERMUTE_ROWS_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// result[..., i, :] = x[..., order[..., i], :]. x: [..., L, d] of any strides; order and inverse:
/// int64 [..., L], each a permutation, one the other's inverse. Returns [..., L, d], contiguous.
/// Differentiable in x; deterministic.
at::Tensor PermuteRows(const at::Tensor& x, const at::Tensor& order, const at::Tensor& inverse);

}  // namespace spion

#endif  // BASELINES_REFORMER_PERMUTE_ROWS_H_
