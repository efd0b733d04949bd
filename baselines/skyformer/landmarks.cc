#include "baselines/skyformer/landmarks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>

#include <tuple>

#include "spion/nn/padding.h"

namespace spion {

at::Tensor DrawLandmarks(int64_t batch, int64_t length, int64_t count, const Lengths& lengths,
                         c10::Device device) {
  TORCH_CHECK(count <= 2 * length, count, " landmarks cannot be drawn from the ", 2 * length,
              " queries and keys of a sequence of ", length,
              "; take a longer sequence or fewer landmarks");
  // The positions with the `count` largest of independent numbers are a uniform draw without
  // replacement; padding is below all of them.
  at::Tensor draws = at::rand({batch, 2, length}, at::TensorOptions(at::kFloat).device(device));
  if (lengths.has_value()) {
    draws.masked_fill_(ValidPositions(*lengths, length).logical_not().unsqueeze(1), -1);
  }
  at::Tensor drawn = std::get<1>(draws.view({batch, 2 * length}).topk(count));
  if (!lengths.has_value()) return drawn;
  const at::Tensor valid = lengths->to(at::kLong).mul(2).clamp_min(1).unsqueeze(1);  // [B, 1]
  return drawn.gather(1, at::arange(count, drawn.options()).unsqueeze(0).remainder(valid));
}

at::Tensor TakeLandmarks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& positions) {
  const int64_t count = positions.size(1);
  const at::Tensor rows =
      positions.view({-1, 1, count, 1}).expand({q.size(0), q.size(1), count, q.size(3)});
  return at::cat({q, k}, 2).gather(2, rows);
}

}  // namespace spion
