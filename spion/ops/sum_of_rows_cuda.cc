// ColumnSumsKernels by CUDA.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"
#include "spion/ops/token_rows_arguments.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using at::Tensor;

class ColumnSumsByCuda final : public ColumnSumsKernels {
 public:
  Tensor ColumnSums(const Tensor& x) const override {
    constexpr char kOp[] = "ColumnSums";
    const c10::cuda::CUDAGuard guard(x.device());
    TORCH_CHECK(x.dim() == 2, kOp, " takes a matrix; got ", x.sizes());
    const Tensor rows = Rows(x);
    const at::TensorOptions floats = x.options().dtype(at::kFloat);
    Tensor sums = at::empty({x.size(1)}, floats);
    const Tensor scratch = at::empty({cuda::ColumnScratchFloats(x.size(0), x.size(1))}, floats);
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp, cuda::Run(cuda::ColumnSums<T>{x.size(0), x.size(1), Data<T>(rows),
                                             MutableData<float>(sums), MutableData<float>(scratch)},
                         c10::cuda::getCurrentCUDAStream()));
    });
    return sums;
  }
};

const ColumnSumsByCuda kColumnSums;
const GpuSide<ColumnSumsKernels> kGpuSide(kColumnSums);

}  // namespace
}  // namespace spion
