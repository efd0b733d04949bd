// Softmax attention in double, by plain loops, over the pairs that a predicate keeps.
#ifndef BASELINES_TESTING_SOFTMAX_ORACLE_H_
#define BASELINES_TESTING_SOFTMAX_ORACLE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace spion {

/// Whether query i of example b and head h sees key j.
using SeesKey = std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)>;

/// q, v: double [B, H, L, d]; k: double [B, H, keys, d]. Scores are scale * q_i . k_j. Rows that
/// see nothing are zero.
at::Tensor SoftmaxOracle(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         double scale, const SeesKey& sees);

}  // namespace spion

#endif  // BASELINES_TESTING_SOFTMAX_ORACLE_H_
