#include "spion/train/batches.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr TaskShape kPairs = {.sequence_length = 5,
                              .vocabulary = 257,
                              .classes = 3,
                              .sequences_per_example = 2,
                              .has_padding = true};

// Lengths 0, 1 and full, the highest byte, labels 0 to 2.
Split Pairs() {
  Split split(kPairs);
  const std::vector<std::vector<uint8_t>> texts = {{}, {7}, {1, 2, 3, 4, 255}, {9, 8}};
  for (int example = 0; example < 3; ++example) {
    const absl::Span<const uint8_t> pair[] = {texts[example], texts[example + 1]};
    split.AddExample(pair, example);
  }
  return split;
}

std::vector<int64_t> Values(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kLong).contiguous();
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

TEST(BatchMakerTest, HoldsTheExamplesAskedForWithPaddingAndLengths) {
  const Split split = Pairs();
  const Batch batch = BatchMaker(split, at::kCPU).Make({2, 0});
  EXPECT_EQ(batch.ids.sizes(), at::IntArrayRef({2, 2, 5}));
  EXPECT_EQ(batch.ids.scalar_type(), at::kInt);
  EXPECT_THAT(Values(batch.ids), ElementsAre(2, 3, 4, 5, 256, 10, 9, 0, 0, 0,  // example 2
                                             0, 0, 0, 0, 0, 8, 0, 0, 0, 0));   // example 0
  EXPECT_THAT(Values(batch.labels), ElementsAre(2, 0));
  ASSERT_TRUE(batch.lengths.has_value());
  EXPECT_EQ(batch.lengths->scalar_type(), at::kInt);
  EXPECT_THAT(Values(*batch.lengths), ElementsAre(5, 2, 0, 1));
}

TEST(BatchMakerTest, ShortenedSplitsGiveShortSequences) {
  Split split = Pairs();
  split.ShortenTo(2);
  const Batch batch = BatchMaker(split, at::kCPU).Make({2});
  EXPECT_THAT(Values(batch.ids), ElementsAre(2, 3, 10, 9));
  EXPECT_THAT(Values(*batch.lengths), ElementsAre(2, 2));
}

TEST(BatchMakerTest, WithoutPaddingBytesAreIdsAndThereAreNoLengths) {
  Split split({.sequence_length = 3, .vocabulary = 256, .classes = 2});
  const std::vector<uint8_t> picture = {0, 255, 4};
  const absl::Span<const uint8_t> pictures[] = {picture};
  split.AddExample(pictures, 1);
  const Batch batch = BatchMaker(split, at::kCPU).Make({0, 0});
  EXPECT_THAT(Values(batch.ids), ElementsAre(0, 255, 4, 0, 255, 4));
  EXPECT_FALSE(batch.lengths.has_value());
}

TEST(BatchMakerTest, BytesAreThoseOfABatchInItsMemory) {
  const Split split = Pairs();
  const BatchMaker maker(split, at::kCPU);
  const Batch batch = maker.Make({2, 0});
  batch.storage.copy_(maker.Bytes({1, 2}));
  const Batch expected = maker.Make({1, 2});
  EXPECT_TRUE(batch.ids.equal(expected.ids));
  EXPECT_TRUE(batch.labels.equal(expected.labels));
  EXPECT_TRUE(batch.lengths->equal(*expected.lengths));
}

TEST(ShuffledOrderTest, EveryPassHoldsEveryExampleOnce) {
  ShuffledOrder order(7, 3);
  std::vector<int64_t> first = order.Next(7);
  std::vector<int64_t> second = order.Next(7);
  EXPECT_NE(first, second);
  for (std::vector<int64_t>* pass : {&first, &second}) {
    std::sort(pass->begin(), pass->end());
    EXPECT_THAT(*pass, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  }
}

TEST(ShuffledOrderTest, GoesOnFromItsState) {
  ShuffledOrder order(7, 3);
  order.Next(10);
  TrainingState state;
  order.SaveTo(state);
  ShuffledOrder resumed(7, 4);
  ASSERT_TRUE(resumed.RestoreFrom(state).ok());
  EXPECT_EQ(resumed.Next(20), order.Next(20));
}

TEST(ShuffledOrderTest, RefusesAStateThatIsNone) {
  const ShuffledOrder order(3, 1);
  TrainingState good;
  order.SaveTo(good);
  std::vector<TrainingState> states(4, good);
  states[0].PutValue("order.position", 4);
  states[1].PutValue("order.random", Random::State{});
  states[2].Put("order.examples", at::tensor({0, 1, 3}, at::kLong));
  states[3].Put("order.examples", at::tensor({0, -1, 2}, at::kLong));
  for (const TrainingState& state : states) {
    const absl::Status status = ShuffledOrder(3, 1).RestoreFrom(state);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("none of 3 examples"));
  }
}

}  // namespace
}  // namespace spion
