#include "spion/train/training_step.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "spion/collective/group.h"
#include "spion/nn/attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/train/batches.h"
#include "spion/train/evaluation.h"
#include "spion/train/experiment.h"
#include "spion/train/small_training.h"
#include "spion/train/training_state.h"

namespace spion {
namespace {

// Keeps the queries of all its forward passes.
class Watched : public Attention {
 public:
  explicit Watched(std::vector<at::Tensor>* queries) : queries_(queries) {}
  at::Tensor Forward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const Lengths& lengths) override {
    queries_->push_back(q.detach().clone());
    return dense_.Forward(q, k, v, lengths);
  }

 private:
  std::vector<at::Tensor>* queries_;
  FusedDenseAttention dense_;
};

struct Steps {
  std::vector<at::Tensor> queries;
  std::vector<at::Tensor> weights;
};

Steps RunSteps(bool looks) {
  Steps steps;
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.make_attention = [&](const AttentionContext&) {
    return std::make_unique<Watched>(&steps.queries);
  };
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, data.shape, at::kCPU);
  TrainingStep training(experiment, model, data.train, AloneGroup());
  for (int64_t step = 1; step <= 6; ++step) {
    if (looks) training.Look(step);
    training.Run(step, /*learning_rate=*/1e-2, /*key=*/0);
  }
  for (const NamedTensor& parameter : model.parameters().items()) {
    steps.weights.push_back(parameter.value.detach());
  }
  return steps;
}

TEST(TrainingStepTest, ALookSeesWhatTheStepComputesAndChangesNothing) {
  const Steps plain = RunSteps(/*looks=*/false);
  const Steps looked = RunSteps(/*looks=*/true);
  ASSERT_EQ(looked.queries.size(), 2 * plain.queries.size());
  for (size_t i = 0; i < plain.queries.size(); ++i) {
    EXPECT_TRUE(looked.queries[2 * i].equal(plain.queries[i])) << "look " << i;
    EXPECT_TRUE(looked.queries[2 * i + 1].equal(plain.queries[i])) << "step " << i;
  }
  EXPECT_FALSE(plain.queries[0].equal(plain.queries[1]));
  ASSERT_EQ(looked.weights.size(), plain.weights.size());
  for (size_t i = 0; i < plain.weights.size(); ++i) {
    EXPECT_TRUE(looked.weights[i].equal(plain.weights[i])) << "parameter " << i;
  }
}

// Beside the evaluation of the whole split, which is each step's batch, before the step: the two
// agree without dropout. After the second step the training goes on from a state.
TEST(TrainingStepTest, MeansAreThoseOfTheStepsSinceTheLastTime) {
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const TaskData data = SmallData();
  experiment.hyper_parameters.batch_size = data.train.examples();
  ModelConfig config = ModelConfigFor(data.shape, experiment.hyper_parameters);
  config.dropout = 0;
  at::manual_seed(1);
  SequenceClassifier model(config, at::kCPU, experiment.method.make_attention);
  const BatchMaker batches(data.train, at::kCPU);
  TrainingStep first(experiment, model, data.train, AloneGroup());
  TrainingStep resumed(experiment, model, data.train, AloneGroup());
  TrainingStep* training = &first;
  Evaluation sum;
  for (int64_t step = 1; step <= 6; ++step) {
    const Evaluation before =
        Evaluate(model, batches, data.train.examples(), /*limit=*/0, Precision::kFloat32);
    sum.loss += before.loss;
    sum.accuracy += before.accuracy;
    training->Run(step, /*learning_rate=*/1e-2, /*key=*/0);
    if (step == 2) {
      TrainingState state;
      first.SaveTo(state);
      ASSERT_TRUE(resumed.RestoreFrom(state).ok());
      training = &resumed;
    }
    if (step % 3 != 0) continue;
    const TrainingStep::Means means = training->TakeMeans();
    EXPECT_NEAR(means.loss, sum.loss / 3, 1e-5) << step;
    EXPECT_NEAR(means.accuracy, sum.accuracy / 3, 1e-9) << step;
    sum = Evaluation();
  }
}

// A rank of whose exchange nothing comes.
class Rank : public Group {
 public:
  explicit Rank(int rank) : Group(rank, 2) {}
  using Group::Broadcast;
  void Sum(const at::Tensor& /*tensor*/) override {}
  void Broadcast(const at::Tensor& /*tensor*/) override {}
};

// All examples are the same, so that dropout alone tells batches apart.
TEST(TrainingStepTest, OnACpuEachRankDrawsItsOwnDropoutInEachStep) {
  TaskData data(kSmallShape);
  for (int example = 0; example < 32; ++example) {
    data.train.AddExample({std::vector<uint8_t>(kSmallShape.sequence_length, 3)}, 0);
  }
  std::vector<at::Tensor> queries;
  Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  experiment.method.make_attention = [&](const AttentionContext&) {
    return std::make_unique<Watched>(&queries);
  };
  SequenceClassifier model = MakeModel(experiment, data.shape, at::kCPU);
  for (const auto& [rank, step] : {std::pair(0, 1), {1, 1}, {0, 2}, {1, 2}, {0, 1}}) {
    Rank group(rank);
    TrainingStep(experiment, model, data.train, group).Look(step);
  }
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_FALSE(queries[i].equal(queries[j])) << i << ", " << j;
  }
  EXPECT_TRUE(queries[4].equal(queries[0]));
}

}  // namespace
}  // namespace spion
