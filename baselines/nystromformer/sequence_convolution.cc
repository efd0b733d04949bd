#include "baselines/nystromformer/sequence_convolution.h"

#include <ATen/ops/bmm.h>
#include <ATen/ops/constant_pad_nd.h>

namespace spion {
namespace {

// Outputs that one product makes of each channel: longer runs share more inputs and meet more of
// the band's zeros.
constexpr int64_t kRun = 64;

// Row i has the filter from column i on: [H, kRun, kRun + kernel - 1].
at::Tensor Banded(const at::Tensor& filters) {
  return at::constant_pad_nd(filters, {kRun - 1, kRun - 1}, 0)
      .unfold(1, kRun + filters.size(1) - 1, 1)
      .flip(1);
}

}  // namespace

at::Tensor SequenceConvolution(const at::Tensor& x, const at::Tensor& filters) {
  const int64_t length = x.size(2);
  const int64_t reach = filters.size(1) / 2;
  const int64_t runs = (length + kRun - 1) / kRun;
  const at::Tensor seen =
      at::constant_pad_nd(x, {0, 0, reach, reach + runs * kRun - length}, 0)
          .unfold(2, kRun + 2 * reach, kRun)  // [B, H, runs, d, kRun + kernel - 1]
          .transpose(0, 1);
  return at::bmm(seen.flatten(1, 3), Banded(filters).transpose(1, 2))  // [H, B runs d, kRun]
      .view({x.size(1), x.size(0), runs, x.size(3), kRun})
      .permute({1, 0, 2, 4, 3})
      .flatten(2, 3)
      .narrow(2, 0, length);
}

}  // namespace spion
