#include "spion/train/evaluation.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/rand_like.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "spion/base/random.h"
#include "spion/nn/attention.h"
#include "spion/pattern/block_pattern.h"
#include "spion/train/experiment.h"
#include "spion/train/model_patterns.h"
#include "spion/train/small_training.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Attention of nothing but random numbers.
class Draws : public Attention {
 public:
  at::Tensor Forward(const at::Tensor& /*q*/, const at::Tensor& /*k*/, const at::Tensor& v,
                     const Lengths& /*lengths*/) override {
    return at::rand_like(v);
  }
};

// Ranks that come one after the other: the last has the sums of all.
class OneByOne : public Group {
 public:
  OneByOne(int rank, int ranks, at::Tensor& sums) : Group(rank, ranks), sums_(sums) {}
  using Group::Broadcast;
  void Sum(const at::Tensor& tensor) override {
    sums_ = sums_.defined() ? sums_ + tensor : tensor.clone();
    at::Tensor result = tensor;
    result.copy_(sums_);
  }
  void Broadcast(const at::Tensor& /*tensor*/) override {}

 private:
  at::Tensor& sums_;
};

Experiment ExperimentThatDraws() {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.make_attention = [](const AttentionContext&) {
    return std::make_unique<Draws>();
  };
  return experiment;
}

class EvaluationTest : public testing::Test {
 protected:
  Evaluation EvaluateBy(Group& group) const {
    return *EvaluateUnlessStopped(
        model_, batches_, /*batch_size=*/5, /*limit=*/0, Precision::kFloat32,
        [](int64_t) { return false; }, group);
  }

  const TaskData data_ = SmallData();
  const BatchMaker batches_{data_.dev, at::kCPU};
  const SequenceClassifier model_ = MakeModel(ExperimentThatDraws(), kSmallShape, at::kCPU);
};

TEST_F(EvaluationTest, DrawsTheSameEachTimeAndLeavesTheGeneratorWhereItStood) {
  at::manual_seed(1);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(1);
  const Evaluation first = EvaluateBy(AloneGroup());
  EXPECT_TRUE(at::rand({4}).equal(expected));
  const Evaluation second = EvaluateBy(AloneGroup());
  EXPECT_EQ(second.loss, first.loss);
  EXPECT_EQ(second.accuracy, first.accuracy);
}

TEST_F(EvaluationTest, RanksDrawWhatOneProcessDraws) {
  const Evaluation alone = EvaluateBy(AloneGroup());
  for (const int ranks : {2, 3}) {
    at::Tensor sums;
    Evaluation together;
    for (int rank = 0; rank < ranks; ++rank) {
      OneByOne group(rank, ranks, sums);
      together = EvaluateBy(group);
    }
    EXPECT_NEAR(together.loss, alone.loss, 1e-12) << ranks;  // added up in another order
    EXPECT_EQ(together.accuracy, alone.accuracy) << ranks;
  }
}

// An untrained model's answers, one example at a time, by plain loops in double.
TEST(EvaluateTest, IsTheMeanOverTheExamples) {
  const TaskData data = SmallData();
  const BatchMaker batches(data.dev, at::kCPU);
  const SequenceClassifier model =
      MakeModel(SmallDenseExperiment(Precision::kFloat32), kSmallShape, at::kCPU);
  const c10::NoGradGuard no_grad;
  for (const int64_t limit : {0, 1, 7, 10, 100}) {
    const int64_t examples = limit == 0 || limit == 100 ? 32 : limit;
    double loss = 0;
    double right = 0;
    for (int64_t example = 0; example < examples; ++example) {
      const Batch batch = batches.Make({example});
      const at::Tensor logits = model.Forward(batch.ids, batch.lengths, /*training=*/false);
      const auto* values = logits.const_data_ptr<float>();
      const int64_t label = batch.labels.item<int64_t>();
      loss += std::log(1 + std::exp(double{values[1 - label]} - double{values[label]}));
      right += values[label] > values[1 - label] ? 1 : 0;
    }
    const Evaluation found = Evaluate(model, batches, /*batch_size=*/5, limit, Precision::kFloat32);
    EXPECT_EQ(found.examples, examples) << limit;
    EXPECT_EQ(found.accuracy, right / static_cast<double>(examples)) << limit;
    EXPECT_NEAR(found.loss, loss / static_cast<double>(examples), 1e-6) << limit;
  }
}

TEST_F(EvaluationTest, StopsBeforeWhicheverRoundItIsTold) {
  std::vector<int64_t> asked;
  const auto stops_after = [&asked](int64_t done) {
    asked.push_back(done);
    return done == 10;
  };
  EXPECT_FALSE(EvaluateUnlessStopped(model_, batches_, /*batch_size=*/5, /*limit=*/0,
                                     Precision::kFloat32, stops_after)
                   .has_value());
  EXPECT_THAT(asked, ElementsAre(0, 5, 10));
}

TEST(PrunedShareTest, IsOfTheFirstBatch) {
  constexpr TaskShape kShape{.sequence_length = 32, .vocabulary = 8, .classes = 2};
  Split split(kShape);
  Random random(1);
  for (int example = 0; example < 8; ++example) {
    std::vector<uint8_t> ids(kShape.sequence_length);
    for (uint8_t& id : ids) id = static_cast<uint8_t>(random.Below(8));
    split.AddExample({ids}, 0);
  }
  const BatchMaker batches(split, at::kCPU);
  const SequenceClassifier model = MakeModel(SmallSpionExperiment(), kShape, at::kCPU);
  const auto share_of = [&](int64_t limit) {
    return Evaluate(model, batches, /*batch_size=*/3, limit, Precision::kFloat32).pruned_share;
  };
  EXPECT_THAT(share_of(0), IsEmpty());  // dense
  SpionLayers(model)[0]->SetPattern(BlockPattern::FromBlocks(2, 16, {}).value());
  const std::vector<double> share = share_of(0);
  ASSERT_EQ(share.size(), 1u);
  EXPECT_EQ(share, share_of(3));
  EXPECT_GT(share[0], 0);
  EXPECT_LT(share[0], 1);
}

}  // namespace
}  // namespace spion
