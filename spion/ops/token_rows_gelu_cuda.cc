// GeluDropoutKernels by CUDA.
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "spion/kernels/token_rows/api.h"
#include "spion/ops/dropout.h"
#include "spion/ops/gpu_side.h"
#include "spion/ops/operands.h"
#include "spion/ops/throw_if_error.h"
#include "spion/ops/token_rows_arguments.h"
#include "spion/ops/token_rows_kernels.h"

namespace spion {
namespace {

using at::Tensor;

class GeluDropoutByCuda final : public GeluDropoutKernels {
 public:
  Tensor GeluDropout(const Tensor& x, const Dropout& dropout) const override {
    constexpr char kOp[] = "GeluDropout";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor numbers = Rows(x);
    Tensor out = at::empty(x.sizes(), x.options());
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp,
          cuda::Run(cuda::GeluDropoutForward<T>{.count = x.numel(),
                                                .x = Data<T>(numbers),
                                                .dropout = ForwardDropout(
                                                    dropout, x.numel() / cuda::kNumbersPerDraw),
                                                .out = MutableData<T>(out)},
                    c10::cuda::getCurrentCUDAStream()));
    });
    return out;
  }

  Tensor GeluDropoutBackward(const Tensor& grad_out, const Tensor& x,
                             const Dropout& dropout) const override {
    constexpr char kOp[] = "GeluDropoutBackward";
    const c10::cuda::CUDAGuard guard(x.device());
    const Tensor numbers = Rows(x);
    const Tensor grads = Operand(kOp, "grad_out", grad_out, x.scalar_type(), x.sizes(), x.device());
    Tensor grad_x = at::empty(x.sizes(), x.options());
    DispatchNumber(kOp, x.scalar_type(), [&](auto number) {
      using T = decltype(number);
      ThrowIfError(
          kOp,
          cuda::Run(cuda::GeluDropoutBackward<T>{.count = x.numel(),
                                                 .grad_out = Data<T>(grads),
                                                 .x = Data<T>(numbers),
                                                 .dropout = BackwardDropout(
                                                     dropout, x.numel() / cuda::kNumbersPerDraw),
                                                 .grad_x = MutableData<T>(grad_x)},
                    c10::cuda::getCurrentCUDAStream()));
    });
    return grad_x;
  }
};

const GeluDropoutByCuda kGeluDropout;
const GpuSide<GeluDropoutKernels> kGpuSide(kGeluDropout);

}  // namespace
}  // namespace spion
