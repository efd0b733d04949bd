#include "spion/train/training_step.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "spion/collective/group.h"
#include "spion/nn/attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/train/experiment.h"
#include "spion/train/small_training.h"

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

}  // namespace
}  // namespace spion
