#include "spion/ops/token_rows_arguments.h"

#include <c10/cuda/CUDAGraphsC10Utils.h>

namespace spion {

using at::Tensor;

Tensor Rows(const Tensor& x) {
  constexpr uintptr_t kAlignmentBytes = 16;
  const Tensor rows = x.contiguous();
  const bool is_aligned = reinterpret_cast<uintptr_t>(rows.const_data_ptr()) % kAlignmentBytes == 0;
  return is_aligned ? rows : rows.clone();
}

void CheckOperand(const char* op, const char* name, const Tensor& tensor, at::ScalarType dtype,
                  at::IntArrayRef sizes, c10::Device device) {
  TORCH_CHECK(tensor.defined(), op, ": ", name, " must be ", dtype, " ", sizes, " on ", device,
              "; got an undefined tensor");
  TORCH_CHECK(tensor.scalar_type() == dtype && tensor.sizes() == sizes && tensor.device() == device,
              op, ": ", name, " must be ", dtype, " ", sizes, " on ", device, "; got ",
              tensor.scalar_type(), " ", tensor.sizes(), " on ", tensor.device());
}

Tensor Operand(const char* op, const char* name, const Tensor& tensor, at::ScalarType dtype,
               at::IntArrayRef sizes, c10::Device device) {
  CheckOperand(op, name, tensor, dtype, sizes, device);
  return Rows(tensor);
}

RowSizes SizesOf(const char* op, const char* name, const Tensor& x) {
  TORCH_CHECK(x.dim() > 0 && x.size(-1) > 0, op, ": ", name,
              " must be rows [..., width] of at least one number; got ", x.sizes());
  return {x.numel() / x.size(-1), x.size(-1)};
}

cuda::Dropout AsDropout(const char* op, double probability, at::IntArrayRef random, int64_t draws) {
  if (probability == 0) return {};
  TORCH_CHECK(random.size() == 5, op,
              ": a dropout takes the four numbers of spion::draw_random and the number of the "
              "batch's slice; got ",
              random);
  const bool is_recorded = random[2] != 0;
  TORCH_CHECK(!is_recorded || c10::cuda::currentStreamCaptureStatusMayInitCtx() !=
                                  c10::cuda::CaptureStatus::None,
              op,
              ": the forward pass was recorded in a CUDA graph; record its backward pass in the "
              "same one, as the dropout mask of each replay is known there alone");
  return {.probability = static_cast<float>(probability),
          .random = {.seed = static_cast<uint64_t>(random[0]),
                     .offset = static_cast<uint64_t>(random[1]),
                     .seed_on_device = reinterpret_cast<const int64_t*>(random[2]),
                     .offset_on_device = reinterpret_cast<const int64_t*>(random[3]),
                     .first_draw = random[4] * draws}};
}

cuda::Dropout AsDropout(const char* op, double probability, at::IntArrayRef random,
                        RowSizes sizes) {
  const cuda::Dropout dropout =
      AsDropout(op, probability, random, sizes.rows * sizes.width / cuda::kNumbersADraw);
  TORCH_CHECK(dropout.random.first_draw == 0 || sizes.rows % cuda::kRowsADraw == 0, op,
              ": a slice of a batch must have a multiple of ", cuda::kRowsADraw,
              " rows for its dropout; got ", sizes.rows);
  return dropout;
}

}  // namespace spion
