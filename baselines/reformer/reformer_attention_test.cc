#include "baselines/reformer/reformer_attention.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "baselines/reformer/bucket_order.h"
#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

constexpr int64_t kHeadDim = 4;

at::Tensor Reformer(const Heads& heads, const Lengths& lengths, const ReformerOptions& options) {
  at::manual_seed(21);
  return ReformerAttention(options).Forward(heads.q, heads.k, heads.v, lengths);
}

// The buckets that Reformer() hashes into.
at::Tensor Buckets(const Heads& heads, const ReformerOptions& options) {
  at::manual_seed(21);
  return HashBuckets(heads.q, ReformerAttention(options).DrawRotations(heads.q));
}

// One softmax over the keys that any round shows, by sets and plain loops.
at::Tensor Oracle(const Heads& heads, const std::vector<int64_t>& lengths,
                  const ReformerOptions& options, const at::Tensor& buckets) {
  const auto q = heads.q.accessor<double, 4>();
  const auto v = heads.v.accessor<double, 4>();
  at::Tensor out = at::zeros(heads.q.sizes(), at::kDouble);
  auto result = out.accessor<double, 4>();
  const int64_t length = q.size(2);
  const int64_t chunks = length / options.chunk;
  for (int64_t b = 0; b < q.size(0); ++b) {
    for (int64_t h = 0; h < q.size(1); ++h) {
      std::vector<std::vector<char>> sees(length, std::vector<char>(length));
      for (int64_t r = 0; r < options.rounds; ++r) {
        std::vector<int64_t> order(length);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
          const bool i_pads = i >= lengths[b];
          const bool j_pads = j >= lengths[b];
          if (i_pads || j_pads) return !i_pads && j_pads;
          return buckets[b][h][r][i].item<int64_t>() < buckets[b][h][r][j].item<int64_t>();
        });
        for (int64_t x = 0; x < length; ++x) {
          for (int64_t y = 0; y < length; ++y) {
            const int64_t back = (x / options.chunk - y / options.chunk + chunks) % chunks;
            if (back <= 1 && order[y] < lengths[b]) sees[order[x]][order[y]] = 1;
          }
        }
      }
      for (int64_t i = 0; i < lengths[b]; ++i) {
        sees[i][i] = 0;
        // Alone, it sees itself.
        if (std::count(sees[i].begin(), sees[i].end(), 1) == 0) sees[i][i] = 1;
        double total = 0;
        for (int64_t j = 0; j < length; ++j) {
          if (sees[i][j] == 0) continue;
          double dot = 0;
          double norm = 0;
          for (int64_t c = 0; c < kHeadDim; ++c) {
            dot += q[b][h][i][c] * q[b][h][j][c];
            norm += q[b][h][j][c] * q[b][h][j][c];
          }
          const double weight = std::exp(dot / std::sqrt(norm));
          total += weight;
          for (int64_t c = 0; c < kHeadDim; ++c) result[b][h][i][c] += weight * v[b][h][j][c];
        }
        for (int64_t c = 0; c < kHeadDim; ++c) result[b][h][i][c] /= total;
      }
    }
  }
  return out;
}

double DifferenceToOracle(const Heads& heads, const std::vector<int32_t>& lengths,
                          const ReformerOptions& options) {
  const std::vector<int64_t> wide(lengths.begin(), lengths.end());
  const at::Tensor expected = Oracle(heads, wide, options, Buckets(heads, options));
  const at::Tensor out = Reformer(heads, MakeLengths(lengths), options);
  double worst = 0;
  for (int64_t b = 0; b < heads.q.size(0); ++b) {
    const auto valid = [&](const at::Tensor& x) { return x.select(0, b).slice(1, 0, wide[b]); };
    worst = std::max(worst, MaxDifference(valid(out), valid(expected)));
  }
  return worst;
}

TEST(ReformerAttentionTest, OneChunkIsDenseAttentionWithSharedQueries) {
  const Heads heads = RandomHeads(2, 2, 16, kHeadDim, 1);
  EXPECT_LE(DifferenceToOracle(heads, {16, 16}, {.rounds = 1, .chunk = 16}), 1e-9);
}

TEST(ReformerAttentionTest, TheOracleOfOneChunkSeesAllOthers) {
  const Heads heads = RandomHeads(1, 1, 8, kHeadDim, 2);
  const at::Tensor keys = heads.q / heads.q.norm(2, -1, /*keepdim=*/true);
  const at::Tensor scores = heads.q.matmul(keys.transpose(2, 3))[0][0].fill_diagonal_(-1e30);
  const at::Tensor expected = scores.softmax(1).matmul(heads.v[0][0]);
  EXPECT_LE(MaxDifference(Reformer(heads, std::nullopt, {.rounds = 1, .chunk = 8})[0][0], expected),
            1e-9);
}

TEST(ReformerAttentionTest, OneRoundSeesItsChunkAndTheOneBefore) {
  const Heads heads = RandomHeads(2, 2, 32, kHeadDim, 3);
  EXPECT_LE(DifferenceToOracle(heads, {32, 32}, {.rounds = 1, .chunk = 4}), 1e-9);
}

TEST(ReformerAttentionTest, RoundsCombineToTheirUnion) {
  const Heads heads = RandomHeads(2, 2, 32, kHeadDim, 4);
  EXPECT_LE(DifferenceToOracle(heads, {32, 32}, {.rounds = 2, .chunk = 4}), 1e-9);
  EXPECT_LE(DifferenceToOracle(heads, {32, 32}, {.rounds = 4, .chunk = 8, .buckets = 6}), 1e-9);
}

TEST(ReformerAttentionTest, TwoChunksAreSeenOnceEach) {
  const Heads heads = RandomHeads(2, 2, 16, kHeadDim, 5);
  EXPECT_LE(DifferenceToOracle(heads, {16, 16}, {.rounds = 2, .chunk = 8}), 1e-9);
}

TEST(ReformerAttentionTest, DoesNotSeePadding) {
  const Heads heads = RandomHeads(3, 2, 32, kHeadDim, 6);
  EXPECT_LE(DifferenceToOracle(heads, {9, 32, 1}, {.rounds = 2, .chunk = 4}), 1e-9);
}

TEST(ReformerAttentionTest, PaddingAloneIsFinite) {
  const Heads heads = RandomHeads(1, 2, 16, kHeadDim, 7);
  const at::Tensor out = Reformer(heads, MakeLengths({0}), {.chunk = 4});
  EXPECT_TRUE(out.isfinite().all().item<bool>());
}

TEST(ReformerAttentionTest, ALengthOfNoWholeChunksIsRefused) {
  EXPECT_THROW(Reformer(RandomHeads(1, 1, 20, kHeadDim, 8), std::nullopt, {.chunk = 16}),
               c10::Error);
}

TEST(ReformerAttentionTest, GradientsAreThoseOfFiniteDifferences) {
  const at::Tensor lengths = MakeLengths({9, 32});
  const auto reformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Reformer({q, k, v}, lengths, {.chunk = 4})
        .masked_fill(at::arange(32).view({1, 1, 32, 1}).ge(lengths.view({2, 1, 1, 1})), 0);
  };
  EXPECT_LE(GradientError(reformer, RandomHeads(2, 2, 32, kHeadDim, 9)), 1e-6);
}

TEST(ReformerAttentionTest, MixedPrecisionIsCloseToDouble) {
  const Heads heads = RandomHeads(2, 2, 32, kHeadDim, 10);
  // One chunk: rounded vectors could hash elsewhere, but no hash changes what is seen.
  const ReformerOptions options{.chunk = 32};
  const auto reformer = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return Reformer({q, k, v}, std::nullopt, options);
  };
  EXPECT_LE(MaxDifference(UnderAutocast(reformer, heads), Reformer(heads, std::nullopt, options)),
            0.05);
}

}  // namespace
}  // namespace spion
