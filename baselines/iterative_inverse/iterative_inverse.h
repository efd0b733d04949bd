// Inverses of many small matrices at once by matrix products alone, which a GPU does well and
// autograd differentiates: the order-three Newton-Schulz iteration that Skyformer and Nystromformer
// share.
//
//   V <- V (13 I - A V (15 I - A V (7 I - A V))) / 4,   V = A^T / (largest column sum of A)
//
// Source: Razavi et al., "A new iterative method for finding approximate inverses of complex
// matrices"; Xiong et al., arXiv 2102.03902.
#ifndef BASELINES_ITERATIVE_INVERSE_ITERATIVE_INVERSE_H_
#define BASELINES_ITERATIVE_INVERSE_ITERATIVE_INVERSE_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// matrices: [..., m, m] of non-negative entries, with row sums of at most 1 or, if symmetric,
/// eigenvalues in [0, 1]; the iteration then converges to the (pseudo-)inverse. Each matrix has a
/// start of its own. Differentiable.
at::Tensor IterativeInverse(const at::Tensor& matrices, int64_t steps);

}  // namespace spion

#endif  // BASELINES_ITERATIVE_INVERSE_ITERATIVE_INVERSE_H_
