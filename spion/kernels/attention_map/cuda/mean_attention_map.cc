// cuda::MeanAttentionMap: checks, then the launches.
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/attention_map/cuda/hopper/launch.h"
#include "spion/kernels/attention_map/cuda/launch.h"
#include "spion/kernels/cuda_hopper/device.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/cuda_launch/parts.h"

namespace spion::cuda {
namespace {

constexpr int64_t kMapAlignmentBytes = 16;
constexpr int64_t kMaxLength = kMaxGridRows * 64;  // rows of the map, 64 a thread block

template <typename T>
absl::Status CheckLength(const AttentionMapCall<T>& call) {
  if (call.length > kMaxLength) {
    return absl::InvalidArgumentError(absl::StrCat("length ", call.length,
                                                   " is not supported on a GPU: use at most ",
                                                   kMaxLength, " or shorten the sequence"));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckScratch(const AttentionMapCall<T>& call) {
  if (call.row_statistics == nullptr) {
    return absl::InvalidArgumentError(
        "no scratch memory: set `row_statistics` to batch * heads * length * 2 floats on the GPU");
  }
  const auto offset =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(call.map) % kMapAlignmentBytes);
  if (offset != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the map starts ", offset, " bytes after a multiple of ", kMapAlignmentBytes,
                     ": allocate it on its own instead of as a part of another array"));
  }
  return absl::OkStatus();
}

}  // namespace

template <typename T>
absl::Status MeanAttentionMap(const AttentionMapCall<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(Validate(call));
  RETURN_IF_ERROR(CheckLength(call));
  if (call.batch * call.heads == 0) {
    const size_t map_bytes = call.length * call.length * sizeof(float);
    return StatusOfLaunch(cudaMemsetAsync(call.map, 0, map_bytes, stream));
  }
  RETURN_IF_ERROR(CheckScratch(call));
  const HeadTensorSizes sizes = {call.batch, call.heads, call.length};
  RETURN_IF_ERROR(CheckHeadTensor("q", call.q, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("k", call.k, sizes));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.float32 == Float32Math::kExact) return StatusOfLaunch(LaunchMapExact(call, stream));
  } else if (hopper::TakesMap(call.head_dim, call.length) && hopper::IsCurrentDevice()) {
    return StatusOfLaunch(hopper::LaunchMap(call, stream));
  }
  return StatusOfLaunch(LaunchMap(call, stream));
}

template absl::Status MeanAttentionMap(const AttentionMapCall<Float16>&, CUstream_st*);
template absl::Status MeanAttentionMap(const AttentionMapCall<BFloat16>&, CUstream_st*);
template absl::Status MeanAttentionMap(const AttentionMapCall<float>&, CUstream_st*);

}  // namespace spion::cuda
