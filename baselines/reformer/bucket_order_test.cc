#include "baselines/reformer/bucket_order.h"

#include <ATen/Context.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "baselines/testing/attention_check.h"

namespace spion {
namespace {

TEST(HashBucketsTest, IsTheArgMaxOfTheRotatedVectorAndItsNegative) {
  constexpr int64_t kBatch = 2, kHeads = 2, kLength = 10, kDim = 4, kRounds = 3, kHalf = 4;
  const at::Tensor x = RandomHeads(kBatch, kHeads, kLength, kDim, 1).q;
  // [H, d, rounds, half], as the heads' fused axes give it.
  const at::Tensor rotations = RandomHeads(kHeads, kDim, kRounds, kHalf, 2).k.contiguous();
  const at::Tensor buckets = HashBuckets(x, rotations);
  ASSERT_EQ(buckets.sizes(), at::IntArrayRef({kBatch, kHeads, kRounds, kLength}));
  const auto in = x.accessor<double, 4>();
  const auto matrix = rotations.accessor<double, 4>();
  for (int64_t b = 0; b < kBatch; ++b) {
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t r = 0; r < kRounds; ++r) {
        for (int64_t i = 0; i < kLength; ++i) {
          std::vector<double> projected(2 * kHalf);
          for (int64_t n = 0; n < kHalf; ++n) {
            for (int64_t c = 0; c < kDim; ++c) projected[n] += in[b][h][i][c] * matrix[h][c][r][n];
            projected[kHalf + n] = -projected[n];
          }
          const auto largest = std::max_element(projected.begin(), projected.end());
          EXPECT_EQ(buckets[b][h][r][i].item<int64_t>(), largest - projected.begin());
        }
      }
    }
  }
}

TEST(SortByBucketTest, IsStable) {
  at::manual_seed(3);
  const at::Tensor buckets = at::randint(0, 5, {1, 1, 1, 3000}, at::kShort);
  const BucketOrder sorted = SortByBucket(buckets);
  const at::Tensor flat = buckets.flatten();
  std::vector<int64_t> expected(3000);
  std::iota(expected.begin(), expected.end(), 0);
  std::stable_sort(expected.begin(), expected.end(), [&](int64_t a, int64_t b) {
    return flat.data_ptr<int16_t>()[a] < flat.data_ptr<int16_t>()[b];
  });
  EXPECT_TRUE(sorted.order.flatten().equal(at::tensor(expected, at::kLong)));
}

TEST(SortByBucketTest, InverseLeadsBack) {
  at::manual_seed(4);
  const BucketOrder sorted = SortByBucket(at::randint(0, 5, {2, 3, 2, 40}, at::kShort));
  const at::Tensor positions = at::arange(40, at::kLong).expand({2, 3, 2, 40});
  EXPECT_TRUE(sorted.order.gather(3, sorted.inverse).equal(positions));
}

}  // namespace
}  // namespace spion
