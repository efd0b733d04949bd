// What all calls of this package ask of their arguments. Private to it.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_CHECKS_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_CHECKS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/kernels/token_rows/api.h"

namespace spion::cuda {

inline absl::Status CheckRows(int64_t rows) {
  if (rows > 0 && rows <= kMaxRows) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(rows, " rows of tokens; expected 1 to ", kMaxRows));
}

inline absl::Status CheckDropout(const Dropout& dropout) {
  if (dropout.probability >= 0 && dropout.probability < 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "dropout with a probability of ", dropout.probability, "; expected at least 0 and below 1"));
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_CHECKS_H_
