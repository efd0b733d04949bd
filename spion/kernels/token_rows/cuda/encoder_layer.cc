// What encoder_layer.h declares: checks, then the launches.
#include "spion/kernels/token_rows/encoder_layer.h"

#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/cuda_launch/device_attribute.h"
#include "spion/kernels/token_rows/cuda/checks.h"
#include "spion/kernels/token_rows/cuda/encoder_layer_launch.h"
#include "spion/kernels/token_rows/cuda/layer_blocks.h"

namespace spion::cuda {

int64_t KeptLayerWords(int64_t rows) {
  constexpr int64_t kWordsOfRow = (2 * kLayerWidth + kLayerHidden) / 32;
  return (rows + 15) / 16 * 16 * kWordsOfRow;
}

int64_t LayerScratchFloats(int64_t sums) { return kLayerSumBlocks * sums; }

bool HasEncoderLayerKernels() {
  int bytes = 0;
  return ReadAttribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, bytes) == cudaSuccess &&
         bytes >= EncoderLayerSharedBytes();
}

absl::Status Run(const PreAttentionForward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const PreAttentionBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const PostAttentionForward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const PostAttentionBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  RETURN_IF_ERROR(CheckDropout({.probability = call.probability, .random = {}}));
  return StatusOfLaunch(Launch(call, stream));
}

}  // namespace spion::cuda
