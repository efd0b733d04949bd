// What api.h declares: checks, then the launches.
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/cuda_launch/checks.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/checks.h"
#include "spion/kernels/token_rows/cuda/launch.h"
#include "spion/kernels/token_rows/cuda/sum_blocks.h"

namespace spion::cuda {
namespace {

absl::Status CheckNorm(int64_t rows, int64_t width) {
  RETURN_IF_ERROR(CheckRows(rows));
  if (TakesNormWidth(width)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("layer normalisation of rows of ", width,
                                                 " numbers; a GPU takes 64, 128, 256 or 512"));
}

absl::Status CheckSums(int64_t rows, int64_t width) {
  RETURN_IF_ERROR(CheckRows(rows));
  if (TakesSumWidth(width)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("sums over rows of ", width,
                                                 " numbers; a GPU takes multiples of ",
                                                 kSumWidthUnit, " up to ", kMaxSumWidth));
}

absl::Status CheckCount(int64_t count) {
  if (count > 0 && count % kGeluUnit == 0 && count <= kMaxGelu) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "GELU of ", count, " numbers; a GPU takes multiples of ", kGeluUnit, " up to ", kMaxGelu));
}

}  // namespace

int64_t ScratchFloats(int64_t rows, int64_t columns) { return SumBlocks(rows) * columns; }

int64_t NormMeanScratchFloats(int64_t sequences, int64_t length, int64_t width) {
  return sequences * MeanParts(length) * width;
}

int64_t ColumnScratchFloats(int64_t rows, int64_t width) {
  return ColumnSumBlocks(rows, width) * width;
}

int64_t TokenScratchFloats(int64_t rows, int64_t vocabulary, int64_t width) {
  return TokenSumBlocks(rows) * vocabulary * width;
}

template <typename Branch, typename T>
absl::Status Run(const AddNormForward<Branch, T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckNorm(call.rows, call.width));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename Branch, typename T>
absl::Status Run(const AddNormBackward<Branch, T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckNorm(call.rows, call.width));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  if (call.repeats < 1 || call.repeats > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("a gradient that repeats ", call.repeats, " times; expected 1 to ", kMaxRows));
  }
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const NormMean& call, CUstream_st* stream) {
  if (call.sequences < 1 || call.length < 1 || call.length > kMaxRows ||
      call.sequences > kMaxRows / call.length) {
    return absl::InvalidArgumentError(
        absl::StrCat("means of ", call.sequences, " sequences of ", call.length,
                     " rows; expected at least 1 of both, and at most ", kMaxRows, " rows"));
  }
  RETURN_IF_ERROR(CheckNorm(call.sequences * call.length, call.width));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const EmbedNormForward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckNorm(call.rows, call.width));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  if (call.vocabulary < 1 || call.length < 1 || call.length > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("a vocabulary of ", call.vocabulary, " and a length of ", call.length,
                     "; expected at least 1 of both, and a length of at most ", kMaxRows));
  }
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const EmbedBackward& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckNorm(call.rows, call.width));
  if (call.length < 1 || call.length > kMaxRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("a length of ", call.length, "; expected 1 to ", kMaxRows));
  }
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  return StatusOfLaunch(Launch(call, stream));
}

absl::Status Run(const TokenSums& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSums(call.rows, call.width));
  if (call.vocabulary < 1 || call.vocabulary > kMaxVocabulary) {
    return absl::InvalidArgumentError(absl::StrCat("sums by token of a vocabulary of ",
                                                   call.vocabulary, "; a GPU takes 1 to ",
                                                   kMaxVocabulary));
  }
  if (call.vocabulary > kMaxRows / call.width) {
    return absl::InvalidArgumentError(
        absl::StrCat("a gradient of ", call.vocabulary, " x ", call.width,
                     " numbers by token; a GPU takes at most ", kMaxRows));
  }
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const ColumnSums<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckSums(call.rows, call.width));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const GeluDropoutForward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckCount(call.count));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  return StatusOfLaunch(Launch(call, stream));
}

template <typename T>
absl::Status Run(const GeluDropoutBackward<T>& call, CUstream_st* stream) {
  RETURN_IF_ERROR(CheckCount(call.count));
  RETURN_IF_ERROR(CheckDropout(call.dropout));
  return StatusOfLaunch(Launch(call, stream));
}

template absl::Status Run(const AddNormForward<float, float>&, CUstream_st*);
template absl::Status Run(const AddNormForward<float, BFloat16>&, CUstream_st*);
template absl::Status Run(const AddNormForward<BFloat16, float>&, CUstream_st*);
template absl::Status Run(const AddNormForward<BFloat16, BFloat16>&, CUstream_st*);
template absl::Status Run(const AddNormBackward<float, float>&, CUstream_st*);
template absl::Status Run(const AddNormBackward<float, BFloat16>&, CUstream_st*);
template absl::Status Run(const AddNormBackward<BFloat16, float>&, CUstream_st*);
template absl::Status Run(const AddNormBackward<BFloat16, BFloat16>&, CUstream_st*);
template absl::Status Run(const EmbedNormForward<float>&, CUstream_st*);
template absl::Status Run(const EmbedNormForward<BFloat16>&, CUstream_st*);
template absl::Status Run(const ColumnSums<float>&, CUstream_st*);
template absl::Status Run(const ColumnSums<BFloat16>&, CUstream_st*);
template absl::Status Run(const GeluDropoutForward<float>&, CUstream_st*);
template absl::Status Run(const GeluDropoutForward<BFloat16>&, CUstream_st*);
template absl::Status Run(const GeluDropoutBackward<float>&, CUstream_st*);
template absl::Status Run(const GeluDropoutBackward<BFloat16>&, CUstream_st*);

}  // namespace spion::cuda
