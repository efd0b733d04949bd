// Locality-sensitive hashing by random rotations, and the order in which Reformer puts a sequence.
#ifndef BASELINES_REFORMER_BUCKET_ORDER_H_
#define BASELINES_REFORMER_BUCKET_ORDER_H_

#include <ATen/core/Tensor.h>

namespace spion {

/// The bucket of each vector in each round: argmax over [x R; -x R].
/// x: [B, H, L, d]; rotations: [H, d, rounds, buckets / 2] of the same type.
/// Returns int16 [B, H, rounds, L], of values below `buckets`.
at::Tensor HashBuckets(const at::Tensor& x, const at::Tensor& rotations);

/// A sequence's positions sorted by (bucket, position), and the way back:
/// order[inverse[p]] = p. Both int64 [B, H, rounds, L].
struct BucketOrder {
  at::Tensor order;
  at::Tensor inverse;
};
BucketOrder SortByBucket(const at::Tensor& buckets);

}  // namespace spion

#endif  // BASELINES_REFORMER_BUCKET_ORDER_H_
