// cuda::MeanAttentionMap: checks, then the launches.
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/attention_map/api.h"
#include "spion/kernels/attention_map/cuda/launch.h"
#include "spion/kernels/cuda_launch/checks.h"

namespace spion::cuda {
namespace {

constexpr int64_t kMapAlignmentBytes = 16;
// What a grid bears: 64 rows, at least, a thread block.
constexpr int64_t kRowsAThreadBlock = 64;
constexpr int64_t kMostThreadBlocks = (int64_t{1} << 31) - 1;
constexpr int64_t kMostLength = 65535 * kRowsAThreadBlock;

template <typename T>
absl::Status CheckGrids(const AttentionMapCall<T>& call) {
  if (call.length > kMostLength) {
    return absl::InvalidArgumentError(absl::StrCat("length ", call.length,
                                                   " is not supported on a GPU: use at most ",
                                                   kMostLength, " or shorten the sequence"));
  }
  const int64_t blocks_a_head = (call.length + kRowsAThreadBlock - 1) / kRowsAThreadBlock;
  const int64_t most_heads = kMostThreadBlocks / blocks_a_head;
  if (call.batch > most_heads || call.heads > most_heads / call.batch) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch = ", call.batch, " and heads = ", call.heads, ": at length ", call.length,
        " a GPU takes at most ", most_heads, " heads of examples at a time; split the batch"));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckScratch(const AttentionMapCall<T>& call) {
  if (call.row_statistics == nullptr) {
    return absl::InvalidArgumentError(
        "no scratch memory: set `row_statistics` to batch * heads * length floats on the GPU");
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
  RETURN_IF_ERROR(CheckGrids(call));
  RETURN_IF_ERROR(CheckScratch(call));
  const HeadTensorSizes sizes = {call.batch, call.heads, call.length};
  RETURN_IF_ERROR(CheckHeadTensor("q", call.q, sizes));
  RETURN_IF_ERROR(CheckHeadTensor("k", call.k, sizes));
  if constexpr (sizeof(T) == sizeof(float)) {
    if (call.float32 == Float32Math::kExact) return StatusOfLaunch(LaunchMapExact(call, stream));
  }
  return StatusOfLaunch(LaunchMap(call, stream));
}

template absl::Status MeanAttentionMap(const AttentionMapCall<Float16>&, CUstream_st*);
template absl::Status MeanAttentionMap(const AttentionMapCall<BFloat16>&, CUstream_st*);
template absl::Status MeanAttentionMap(const AttentionMapCall<float>&, CUstream_st*);

}  // namespace spion::cuda
