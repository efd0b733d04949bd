#include "spion/ops/sum_of_rows.h"

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {

at::Tensor SumOfRows(const at::Tensor& x) {
  const bool by_kernel = x.is_cuda() && TakesType(x.scalar_type()) && x.size(0) > 0 &&
                         x.size(0) <= cuda::kMaxRows && cuda::TakesSumWidth(x.size(1));
  if (by_kernel) return GpuSide<ColumnSumsKernels>::Get().ColumnSums(x);
  return x.sum(0, /*keepdim=*/false, x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
}

}  // namespace spion
