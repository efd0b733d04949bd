#include "baselines/reformer/reformer_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "baselines/reformer/bucket_order.h"
#include "baselines/reformer/permute_rows.h"
#include "baselines/without_autocast.h"
#include "spion/nn/padding.h"

// Shapes: R rounds, C chunks of c tokens, w = 2 c keys that a chunk sees (c, if it is the only
// one). Dimension 3 of everything sorted is the chunk.
namespace spion {
namespace {

// Added to a query's score with itself, and the score of padding: finite, so that a row of padding
// alone stays finite, and far apart, so that a lonely query sees itself and not padding.
constexpr double kSelfPenalty = -1e5;
constexpr double kPaddedScore = -1e9;

constexpr double kLeastNorm = 1e-6;

int64_t Chunks(const at::Tensor& sorted) { return sorted.size(3); }

// [B, H, R, L, ...] -> [B, H, R, C, c, ...]
at::Tensor IntoChunks(const at::Tensor& sorted, int64_t chunk) {
  return sorted.unflatten(3, {sorted.size(3) / chunk, chunk});
}

// Each chunk behind the one before it: [B, H, R, C, c, ...] -> [B, H, R, C, w, ...].
at::Tensor WithPrevious(const at::Tensor& chunks) {
  const int64_t count = Chunks(chunks);
  if (count == 1) return chunks;
  const at::Tensor previous =
      at::cat({chunks.narrow(3, count - 1, 1), chunks.narrow(3, 0, count - 1)}, 3);
  return at::cat({previous, chunks}, 4);
}

// In how many other rounds each pair of query and key meets: [B, H, R, C, c, w] of `type`.
at::Tensor MeetingsElsewhere(const BucketOrder& sorted, int64_t chunk, at::ScalarType type) {
  const int64_t rounds = sorted.order.size(2);
  // The chunk of each token in each round.
  const at::Tensor chunk_of = sorted.inverse.div(chunk, "floor").to(at::kShort);
  const int64_t count = sorted.order.size(3) / chunk;
  at::Tensor meetings;
  for (int64_t shift = 1; shift < rounds; ++shift) {
    const at::Tensor theirs =
        IntoChunks(chunk_of.roll(shift, 2).gather(3, sorted.order), chunk);  // [B, H, R, C, c]
    const at::Tensor key_chunks = WithPrevious(theirs).unsqueeze(4);
    const at::Tensor query_chunks = theirs.unsqueeze(5);
    const at::Tensor previous = query_chunks.sub(1).remainder(count);
    const at::Tensor meets = key_chunks.eq(query_chunks).logical_or_(key_chunks.eq(previous));
    meetings = meetings.defined() ? meetings.add_(meets) : meets.to(type);
  }
  if (meetings.defined()) return meetings;
  const at::Tensor own = IntoChunks(sorted.order, chunk);
  return at::zeros({own.size(0), own.size(1), 1, Chunks(own), chunk, WithPrevious(own).size(4)},
                   own.options().dtype(type));
}

// What is added to the scores: [B, H, R, C, c, w] of `type`.
at::Tensor PairBias(const BucketOrder& sorted, const at::Tensor& valid, int64_t chunk,
                    at::ScalarType type) {
  // A key that n rounds show comes n times into the sum over rounds, with 1 / n of its weight.
  at::Tensor bias = MeetingsElsewhere(sorted, chunk, type).log1p_().neg_();
  const at::Tensor queries = IntoChunks(sorted.order, chunk);
  const at::Tensor keys = WithPrevious(queries).unsqueeze(4);
  bias.masked_fill_(keys.eq(queries.unsqueeze(5)), kSelfPenalty);
  if (valid.defined()) {
    const at::Tensor padded =
        valid.logical_not().view({valid.size(0), 1, 1, -1}).expand_as(sorted.order);
    const at::Tensor padded_keys =
        WithPrevious(IntoChunks(padded.gather(3, sorted.order), chunk)).unsqueeze(4);
    bias.masked_fill_(padded_keys, kPaddedScore);
  }
  return bias;
}

at::Tensor Normalised(const at::Tensor& x, at::ScalarType sum_type) {
  const at::Tensor norm = at::linalg_vector_norm(x, 2, -1, /*keepdim=*/true, sum_type);
  return (x / norm.clamp_min(kLeastNorm)).to(x.scalar_type());
}

// One round's attention, still sorted.
struct Rounds {
  at::Tensor out;          // [B, H, R, L, d], in the inputs' type
  at::Tensor log_sum_exp;  // [B, H, R, L, 1], in the type of sums
};

// q: [B, H, R, C, c, d]; k, v: [B, H, R, C, w, d]; bias: [B, H, R, C, c, w], overwritten.
Rounds AttendWithinChunks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& bias, at::ScalarType sum_type) {
  const auto batched = [](const at::Tensor& x) { return x.flatten(0, 3); };
  // The scores take the bias's place: [BHRC, c, w].
  at::Tensor scores = batched(bias).detach().baddbmm_(batched(q), batched(k).transpose(1, 2));
  // A constant to the gradients, as it cancels out.
  const at::Tensor largest = scores.detach().amax(2, /*keepdim=*/true);
  const at::Tensor weights = scores.sub_(largest).exp_();
  const at::Tensor total = weights.sum(2, /*keepdim=*/true, sum_type);
  const at::Tensor out = at::bmm(weights, batched(v)).div(total).to(v.scalar_type());
  const at::Tensor log_sum_exp = total.log() + largest;
  const auto sorted = [&](const at::Tensor& x) {
    return x.view({q.size(0), q.size(1), q.size(2), q.size(3) * q.size(4), -1});
  };
  return {.out = sorted(out), .log_sum_exp = sorted(log_sum_exp)};
}

}  // namespace

at::Tensor ReformerAttention::DrawRotations(const at::Tensor& q) const {
  const int64_t buckets = options_.buckets > 0 ? options_.buckets : 2 * q.size(2) / options_.chunk;
  return at::randn({q.size(1), q.size(3), options_.rounds, buckets / 2},
                   q.options().requires_grad(false));
}

at::Tensor ReformerAttention::Forward(const at::Tensor& q, const at::Tensor& /*k*/,
                                      const at::Tensor& v, const Lengths& lengths) {
  const WithoutAutocast own_types;
  const int64_t length = q.size(2);
  const int64_t chunk = options_.chunk;
  TORCH_CHECK(length % chunk == 0, "reformer: a sequence of ", length,
              " is not a whole number of chunks of ", chunk,
              "; take a length that is a multiple of it");
  const at::ScalarType sum_type = c10::promoteTypes(at::kFloat, q.scalar_type());

  BucketOrder sorted;
  at::Tensor bias;
  {
    const c10::AutoGradMode no_grad(false);
    const at::Tensor rotations = DrawRotations(q);
    at::Tensor buckets = HashBuckets(q, rotations);
    at::Tensor valid;
    if (lengths.has_value()) {
      valid = ValidPositions(*lengths, length);
      buckets.masked_fill_(valid.logical_not().view({-1, 1, 1, length}), 2 * rotations.size(3));
    }
    sorted = SortByBucket(buckets);
    bias = PairBias(sorted, valid, chunk, q.scalar_type());
  }

  // [B, H, L, d] -> [B, H, R, C, c, d], each round in its own order.
  const auto sort = [&](const at::Tensor& x) {
    const at::Tensor each_round = x.unsqueeze(2).expand({-1, -1, options_.rounds, -1, -1});
    return IntoChunks(PermuteRows(each_round, sorted.order, sorted.inverse), chunk);
  };
  const Rounds rounds = AttendWithinChunks(sort(q), WithPrevious(sort(Normalised(q, sum_type))),
                                           WithPrevious(sort(v)), bias, sum_type);

  const auto unsort = [&](const at::Tensor& x) {
    return PermuteRows(x, sorted.inverse, sorted.order);
  };
  const at::Tensor shares = at::softmax(unsort(rounds.log_sum_exp), 2);  // [B, H, R, L, 1]
  return (unsort(rounds.out) * shares.to(v.scalar_type())).sum(2);
}

}  // namespace spion
