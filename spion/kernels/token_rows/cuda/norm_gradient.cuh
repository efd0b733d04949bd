// The gradient of a layer normalisation of 16 rows that are in a warp's registers.
//
//   y = (s - mean) / deviation     g = grad weight
//   ds = (g - mean(g) - y mean(g y)) / deviation
//   dweight = sum of grad y        dbias = sum of grad
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_GRADIENT_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_GRADIENT_CUH_

#include "spion/kernels/token_rows/cuda/layer_sums.cuh"

namespace spion::cuda {

/// Gradients of the normalised rows come in; those of the rows go out, to be added to `total`.
/// Rows of zero gradients add nothing to the sums.
__device__ __forceinline__ void AddNormGradient(const SixteenRows<2>& rows,
                                                const RowMoments& moments, const float* weight,
                                                SixteenRows<2> grad, SixteenRows<2>& total,
                                                RowTotals& grad_weight, RowTotals& grad_bias) {
  grad_bias.Add(grad);
  SixteenRows<2> y;
  SixteenRows<2> products;
  float sum[2] = {};
  float dot[2] = {};
  ForEights<2>([&](int r, int q) {
    const tiles::Eight w = LoadEightOfRow(weight, q);
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      float& g = grad.eights[r][q].values[e];
      const float v = (rows.eights[r][q].values[e] - moments.mean[r]) * moments.inverse[r];
      y.eights[r][q].values[e] = v;
      products.eights[r][q].values[e] = g * v;
      g *= w.values[e];
      sum[r] += g;
      dot[r] = fmaf(g, v, dot[r]);
    }
  });
  grad_weight.Add(products);
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    sum[r] = tiles::RowSum(sum[r]) / kLayerWidth;
    dot[r] = tiles::RowSum(dot[r]) / kLayerWidth;
  }
  ForEights<2>([&](int r, int q) {
#pragma unroll
    for (int e = 0; e < 8; ++e) {
      const float g = grad.eights[r][q].values[e];
      const float v = y.eights[r][q].values[e];
      float& t = total.eights[r][q].values[e];
      t = fmaf(g - sum[r] - v * dot[r], moments.inverse[r], t);
    }
  });
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_NORM_GRADIENT_CUH_
