// What api.h declares: checks, then the launches.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/sum_blocks.h"

namespace spion::cuda {
namespace {

constexpr int64_t kMostRows = (int64_t{1} << 31) - 1;

absl::Status CheckRows(int64_t rows) {
  if (rows > 0 && rows <= kMostRows) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(rows, " rows of tokens; expected 1 to ", kMostRows));
}

absl::Status CheckNormWidth(int64_t width) {
  if (width == 64 || width == 128 || width == 256 || width == 512) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("layer normalisation of rows of ", width,
                                                 " numbers; a GPU takes 64, 128, 256 or 512"));
}

absl::Status CheckSumWidth(int64_t width) {
  constexpr int64_t kMostWidth = 65535 * 64;  // of a grid
  if (width > 0 && width % 64 == 0 && width <= kMostWidth) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("column sums of rows of ", width,
                                                 " numbers; a GPU takes multiples of 64 up to ",
                                                 kMostWidth));
}

}  // namespace

int64_t ScratchFloats(int64_t rows, int64_t columns) { return SumBlocks(rows) * columns; }

template <typename T>
absl::Status Run(const LayerNormForward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  RETURN_IF_ERROR(CheckNormWidth(call.width));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const LayerNormBackward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  RETURN_IF_ERROR(CheckNormWidth(call.width));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const ColumnSums<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckRows(call.rows));
  RETURN_IF_ERROR(CheckSumWidth(call.width));
  return StatusOfLaunch(Launch(call, stream));
}

template absl::Status Run(const LayerNormForward<float>&, CUstream_st*);
template absl::Status Run(const LayerNormForward<BFloat16>&, CUstream_st*);
template absl::Status Run(const LayerNormBackward<float>&, CUstream_st*);
template absl::Status Run(const LayerNormBackward<BFloat16>&, CUstream_st*);
template absl::Status Run(const ColumnSums<float>&, CUstream_st*);
template absl::Status Run(const ColumnSums<BFloat16>&, CUstream_st*);

}  // namespace spion::cuda
