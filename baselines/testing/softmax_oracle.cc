#include "baselines/testing/softmax_oracle.h"

#include <ATen/ops/zeros.h>

#include <cmath>

namespace spion {

at::Tensor SoftmaxOracle(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         double scale, const SeesKey& sees) {
  at::Tensor out = at::zeros(q.sizes(), at::kDouble);
  const auto queries = q.accessor<double, 4>();
  const auto keys = k.accessor<double, 4>();
  const auto values = v.accessor<double, 4>();
  auto result = out.accessor<double, 4>();
  const int64_t d = q.size(3);
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t h = 0; h < q.size(1); ++h) {
      for (int64_t i = 0; i < q.size(2); ++i) {
        double total = 0;
        for (int64_t j = 0; j < k.size(2); ++j) {
          if (!sees(b, h, i, j)) continue;
          double score = 0;
          for (int64_t c = 0; c < d; ++c) score += queries[b][h][i][c] * keys[b][h][j][c];
          const double weight = std::exp(scale * score);
          total += weight;
          for (int64_t c = 0; c < d; ++c) result[b][h][i][c] += weight * values[b][h][j][c];
        }
        for (int64_t c = 0; c < d && total > 0; ++c) result[b][h][i][c] /= total;
      }
    }
  }
  return out;
}

}  // namespace spion
