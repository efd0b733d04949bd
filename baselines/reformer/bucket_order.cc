#include "baselines/reformer/bucket_order.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sort.h>

#include <tuple>

namespace spion {

at::Tensor HashBuckets(const at::Tensor& x, const at::Tensor& rotations) {
  const at::Tensor rotated =
      at::matmul(x, rotations.flatten(2)).unflatten(3, {rotations.size(2), rotations.size(3)});
  return at::cat({rotated, rotated.neg()}, 4)  // [B, H, L, rounds, buckets]
      .argmax(4)
      .to(at::kShort)
      .transpose(2, 3);
}

BucketOrder SortByBucket(const at::Tensor& buckets) {
  // Stable, so that equal buckets stay in the order of their positions.
  const at::Tensor order = std::get<1>(at::sort(buckets, /*stable=*/true, 3, /*descending=*/false));
  const at::Tensor positions = at::arange(order.size(3), order.options()).expand_as(order);
  return {.order = order, .inverse = at::empty_like(order).scatter_(3, order, positions)};
}

}  // namespace spion
