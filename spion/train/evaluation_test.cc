#include "spion/train/evaluation.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/rand_like.h>
#include <gtest/gtest.h>

#include <memory>

#include "spion/nn/attention.h"
#include "spion/train/experiment.h"
#include "spion/train/small_training.h"

namespace spion {
namespace {

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

}  // namespace
}  // namespace spion
