// What an encoder layer does token by token around its attention, in two passes over the residual
// stream, for models so narrow that a layer's weights fit a thread block's shared memory:
//
//   pre-attention    qkv = norm(x) Wq^T + bq
//   post-attention   s = x + dropout(heads Wo^T + bo)
//                    y = s + dropout(dropout(gelu(norm(s) W1^T + b1)) W2^T + b2)
//
// The backward calls compute again what lies between: a forward pass leaves its results alone, and
// a bit for each number that a dropout dropped or kept.
#ifndef SPION_KERNELS_TOKEN_ROWS_ENCODER_LAYER_H_
#define SPION_KERNELS_TOKEN_ROWS_ENCODER_LAYER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/common/number.h"
#include "spion/kernels/token_rows/api.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

// All pointers are device pointers to contiguous arrays, aligned to 16 bytes. Products are of
// numbers rounded to bf16, added in fp32, and so are the gradients of the biases; all else is fp32.
// The scale of the hidden numbers' dropout goes into W2 before that is rounded. A sum over tokens
// is always in the same order: the same bits every run, and on every GPU of one kind. Parameters
// are read while the kernel before on the stream ends (programmatic dependent launch): it must not
// be what writes them.

/// The one size of model that these calls take.
constexpr int kLayerWidth = 64;
constexpr int kLayerHidden = 128;
constexpr int kLayerQkv = 3 * kLayerWidth;

/// norm(x) = (x - mean) / sqrt(variance + epsilon) weight + bias, mean and variance of each row.
struct LayerNormParameters {
  float epsilon;
  const float* weight;  // [kLayerWidth]
  const float* bias;    // [kLayerWidth]
};

/// x W^T + b.
struct LinearParameters {
  const float* weight;  // [out, in]
  const float* bias;    // [out]
};

struct PreAttentionForward {
  int64_t rows;
  const float* x;  // [rows, kLayerWidth]
  LayerNormParameters norm;
  LinearParameters qkv;  // [kLayerQkv, kLayerWidth]
  BFloat16* out;         // [rows, kLayerQkv]
};

/// Where the gradients of the parameters are in one array of kFloats.
struct PreAttentionGradients {
  static constexpr int kQkvWeight = 0;
  static constexpr int kQkvBias = kQkvWeight + kLayerQkv * kLayerWidth;
  static constexpr int kNormWeight = kQkvBias + kLayerQkv;
  static constexpr int kNormBias = kNormWeight + kLayerWidth;
  static constexpr int kFloats = kNormBias + kLayerWidth;
};

/// The gradient of x is that which it has beside the call and that through it.
struct PreAttentionBackward {
  int64_t rows;
  const BFloat16* grad_out;  // [rows, kLayerQkv]
  const float* grad_beside;  // [rows, kLayerWidth], or null: zero
  const float* x;            // [rows, kLayerWidth]
  LayerNormParameters norm;
  LinearParameters qkv;
  float* grad_x;           // [rows, kLayerWidth]
  float* grad_parameters;  // [PreAttentionGradients::kFloats]
  float* scratch;          // LayerScratchFloats(PreAttentionGradients::kFloats)
};

struct PostAttentionParameters {
  LinearParameters output;  // [kLayerWidth, kLayerWidth], of the heads side by side
  LayerNormParameters norm;
  LinearParameters hidden;  // [kLayerHidden, kLayerWidth]
  LinearParameters mlp;     // [kLayerWidth, kLayerHidden]
};

/// The draws of a row in the three dropouts of a call, eights of numbers: of the branch from the
/// attention, of the hidden numbers, of the branch from the MLP.
constexpr int kBranchDraws = 0;
constexpr int kHiddenDraws = kBranchDraws + kLayerWidth / 8;
constexpr int kMlpDraws = kHiddenDraws + kLayerHidden / 8;
constexpr int kLayerDraws = kMlpDraws + kLayerWidth / 8;

struct PostAttentionForward {
  int64_t rows;
  const float* x;         // [rows, kLayerWidth]
  const BFloat16* heads;  // [rows, kLayerWidth]
  PostAttentionParameters parameters;
  /// Of all three. The draws of row r are r kLayerDraws .., from first_draw on: of a slice of a
  /// batch that is rows kLayerDraws for each slice before it.
  Dropout dropout;
  float* out;      // y: [rows, kLayerWidth]
  uint32_t* kept;  // [KeptLayerWords(rows)], for the backward call: what the dropouts kept; or null
};

struct PostAttentionGradients {
  static constexpr int kHiddenWeight = 0;
  static constexpr int kMlpWeight = kHiddenWeight + kLayerHidden * kLayerWidth;
  static constexpr int kOutputWeight = kMlpWeight + kLayerWidth * kLayerHidden;
  static constexpr int kHiddenBias = kOutputWeight + kLayerWidth * kLayerWidth;
  static constexpr int kMlpBias = kHiddenBias + kLayerHidden;
  static constexpr int kOutputBias = kMlpBias + kLayerWidth;
  static constexpr int kNormWeight = kOutputBias + kLayerWidth;
  static constexpr int kNormBias = kNormWeight + kLayerWidth;
  static constexpr int kFloats = kNormBias + kLayerWidth;
};

struct PostAttentionBackward {
  int64_t rows;
  const float* grad_out;  // [rows, kLayerWidth]
  const float* x;
  const BFloat16* heads;
  PostAttentionParameters parameters;
  float probability;       // of the forward call's dropout
  const uint32_t* kept;    // from the forward call; null if the probability is 0
  float* grad_x;           // [rows, kLayerWidth]
  BFloat16* grad_heads;    // [rows, kLayerWidth]
  float* grad_parameters;  // [PostAttentionGradients::kFloats]
  float* scratch;          // LayerScratchFloats(PostAttentionGradients::kFloats)
};

/// Words of what the dropouts keep: 32 bytes a row, of rows rounded up to 16.
int64_t KeptLayerWords(int64_t rows);

/// Floats of scratch memory for sums of so many over rows.
int64_t LayerScratchFloats(int64_t sums);

/// Whether the current device has the shared memory that the calls take.
bool HasEncoderLayerKernels();

// As the calls of api.h: queue on `stream`, neither allocate nor wait. Errors, with nothing
// written: InvalidArgument for rows outside 1 .. kMaxRows or a probability outside [0, 1); Internal
// with CUDA's message if a launch fails.
absl::Status Run(const PreAttentionForward& call, CUstream_st* stream);
absl::Status Run(const PreAttentionBackward& call, CUstream_st* stream);
absl::Status Run(const PostAttentionForward& call, CUstream_st* stream);
absl::Status Run(const PostAttentionBackward& call, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_ENCODER_LAYER_H_
