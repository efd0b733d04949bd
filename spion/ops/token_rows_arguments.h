// What the operators of tokens' rows on a GPU have besides operands: sizes and dropouts. Private to
// spion/ops.
#ifndef SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
#define SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"

namespace spion {

/// [..., width] tensors as rows.
struct RowSizes {
  int64_t rows;
  int64_t width;
};
RowSizes SizesOf(const char* op, const char* name, const at::Tensor& x);

/// The dropout of a forward call of so many draws, which draws from LibTorch's generator.
cuda::Dropout ForwardDropout(const Dropout& dropout, int64_t draws);
/// Of its backward call.
cuda::Dropout BackwardDropout(const Dropout& dropout, int64_t draws);

/// Of calls whose draws go over rows as they do in api.h.
cuda::Dropout ForwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);
cuda::Dropout BackwardDropout(const char* op, const Dropout& dropout, RowSizes sizes);

}  // namespace spion

#endif  // SPION_OPS_TOKEN_ROWS_ARGUMENTS_H_
