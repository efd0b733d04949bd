// What an encoder layer does around its attention, with autograd: on a GPU, for models of the size
// that its kernels take, two passes over the residual stream, and nothing kept for the backward
// pass but the residual stream, the queries, keys and values, the heads, and a bit for each number
// that a dropout dropped or kept (spion/kernels/token_rows/encoder_layer.h has the formulas).
//
// Products are of numbers rounded to bfloat16, added in float32. Deterministic. Parameters are read
// in place, so any that are not contiguous from a multiple of 16 bytes are refused, and while the
// kernel before on the stream ends: that must not be what wrote them (in a model, tokens are
// embedded or attended to just before). Differentiable once, and `dropout` as in token_rows.h, the
// three dropouts of a layer being one draw, and a slice of a batch (SetBatchSlice) of any number of
// rows.
#ifndef SPION_OPS_ENCODER_LAYER_H_
#define SPION_OPS_ENCODER_LAYER_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// All float32: of a Linear [out, in] and [out], of a normalisation [width] both.
struct WeightAndBias {
  at::Tensor weight;
  at::Tensor bias;
};

/// Whether the operators take a residual stream, float32 [rows, width], with `hidden` numbers
/// between the MLP's products, in the type of products that autocast says.
bool TakesEncoderLayer(c10::Device device, int64_t rows, int64_t width, int64_t hidden);
bool TakesEncoderLayer(const at::Tensor& x, int64_t hidden);

struct PreAttentionResult {
  at::Tensor qkv;  // bfloat16 [..., 3 * 64]: norm(x) W^T + b
  /// x: for who adds to it, so that its gradient from there is taken along.
  at::Tensor x;
};
/// x: float32 [..., 64], not empty.
PreAttentionResult PreAttention(const at::Tensor& x, const WeightAndBias& norm,
                                const WeightAndBias& qkv);

struct PostAttentionLayers {
  WeightAndBias output;  // [64, 64]
  WeightAndBias norm;
  WeightAndBias hidden;  // [128, 64]
  WeightAndBias mlp;     // [64, 128]
};
/// The layer's result, float32 [..., 64], from its input x and the attention's heads side by side,
/// both [..., 64], float32 and bfloat16.
at::Tensor PostAttention(const at::Tensor& x, const at::Tensor& heads,
                         const PostAttentionLayers& layers, double dropout);

}  // namespace spion

#endif  // SPION_OPS_ENCODER_LAYER_H_
