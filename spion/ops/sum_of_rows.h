// The gradient of what is added to every row. Private to spion/ops.
#ifndef SPION_OPS_SUM_OF_ROWS_H_
#define SPION_OPS_SUM_OF_ROWS_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// The sums of the rows of a matrix, in float32, in double for doubles: by the kernel on a GPU, or
/// by LibTorch where it takes other widths and types.
at::Tensor SumOfRows(const at::Tensor& x);

}  // namespace spion

#endif  // SPION_OPS_SUM_OF_ROWS_H_
