#include "spion/train/training_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>

#include <utility>
#include <vector>

#include "spion/base/random.h"
#include "spion/platform/recorder.h"
#include "spion/profiling/range.h"
#include "spion/train/random_streams.h"

namespace spion {

TrainingStep::TrainingStep(const Experiment& experiment, SequenceClassifier& model,
                           const Split& train)
    : experiment_(experiment),
      model_(model),
      device_(model.parameters().device()),
      batches_(train, device_),
      order_(train.examples(), DeriveSeed(experiment.seed, kExampleOrderStream)),
      optimizer_(model.parameters(), experiment.hyper_parameters),
      loss_sum_(at::zeros({}, device_)),
      right_sum_(at::zeros({}, at::TensorOptions(at::kLong).device(device_))),
      work_(device_, experiment.cuda_graph ? FindRecorder(device_.type()) : nullptr) {}

void TrainingStep::NextBatch() {
  const ProfileRange range(Region::kData);
  const std::vector<int64_t> examples = order_.Next(experiment_.hyper_parameters.batch_size);
  const Batch next = batches_.Make(examples);
  if (!batch_.ids.defined()) {
    batch_ = next;
    return;
  }
  batch_.ids.copy_(next.ids);
  batch_.labels.copy_(next.labels);
  if (batch_.lengths.has_value()) batch_.lengths->copy_(*next.lengths);
}

at::Tensor TrainingStep::ForwardLoss() {
  const ProfileRange range(Region::kForward);
  const AutocastScope autocast(experiment_.precision, device_);
  const at::Tensor logits = model_.Forward(batch_.ids, batch_.lengths, /*training=*/true);
  at::Tensor loss = at::cross_entropy_loss(logits, batch_.labels);
  loss_sum_.add_(loss.detach());
  right_sum_.add_(logits.detach().argmax(1).eq(batch_.labels).sum());
  return loss;
}

// What a step does on the device, reading nothing back.
void TrainingStep::Learn() {
  const at::Tensor loss = ForwardLoss();
  {
    const ProfileRange backward(Region::kBackward);
    loss.backward();
  }
  const ProfileRange optimizer(Region::kOptimizer);
  optimizer_.Step();
}

void TrainingStep::Run(double learning_rate, int64_t key) {
  NextBatch();
  optimizer_.SetLearningRate(learning_rate);
  work_.Run(key, [this] { Learn(); });
  ++summed_steps_;
}

void TrainingStep::RunUnrecorded(double learning_rate) {
  NextBatch();
  optimizer_.SetLearningRate(learning_rate);
  Learn();
  ++summed_steps_;
}

TrainingStep::Means TrainingStep::TakeMeans() {
  const auto steps = static_cast<double>(std::exchange(summed_steps_, 0));
  const auto batch = static_cast<double>(experiment_.hyper_parameters.batch_size);
  const Means means = {.loss = loss_sum_.item<double>() / steps,
                       .accuracy = right_sum_.item<double>() / (steps * batch)};
  loss_sum_.zero_();
  right_sum_.zero_();
  return means;
}

}  // namespace spion
