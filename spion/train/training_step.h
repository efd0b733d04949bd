// One step of training: a batch, the forward and backward pass, the optimiser's update.
//
//   TrainingStep step(experiment, model, data.train, group);
//   step.Run(/*step=*/1, /*learning_rate=*/1e-4, phases.generation());
//   const TrainingStep::Means means = step.TakeMeans();
#ifndef SPION_TRAIN_TRAINING_STEP_H_
#define SPION_TRAIN_TRAINING_STEP_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "spion/collective/group.h"
#include "spion/data/task.h"
#include "spion/nn/classifier.h"
#include "spion/ops/classifier.h"
#include "spion/platform/repeated_work.h"
#include "spion/platform/upload.h"
#include "spion/train/batches.h"
#include "spion/train/exchange_timer.h"
#include "spion/train/experiment.h"
#include "spion/train/flat_gradient.h"
#include "spion/train/optimizer.h"
#include "spion/train/training_state.h"

namespace spion {

class TrainingStep {
 public:
  /// All of these outlive the step. On a device with a recorder steps are recorded if the
  /// experiment wants so (spion/platform/repeated_work.h). Each rank of the group takes its part of
  /// every batch, and makes the step of the whole: the group's sum of the gradients lies between
  /// what is recorded, as a recorded exchange that a rank does not come to waits for ever.
  TrainingStep(const Experiment& experiment, SequenceClassifier& model, const Split& train,
               Group& group);

  /// With the next examples in the order that the experiment's seed gives, starts step `step` on
  /// the device and waits for nothing; on a CPU ranks wait for each other. `key` names what the
  /// model does: steps of one key are the same work, and are recorded and replayed as such. Throws
  /// what the group throws.
  void Run(int64_t step, double learning_rate, int64_t key);
  /// Before step `step` is run: its forward pass alone, with the same examples and random numbers,
  /// for what the model shows of it. The step is as if this had not been; a state that is saved in
  /// between has its examples, as of a step that goes on.
  void Look(int64_t step);
  /// As Run, kernel by kernel. What was recorded stays.
  void RunUnrecorded(int64_t step, double learning_rate);
  /// Gives back the memory of what was recorded.
  void DropRecording();

  /// Of the steps since the last time, over the whole batches; waits for the device.
  struct Means {
    double loss = 0;      // cross-entropy, nats, before each update
    double accuracy = 0;  // share of right answers
  };
  Means TakeMeans();

  /// Order of the examples, optimiser, sums, random numbers. A step that ended in an exception is
  /// not there: it is the next one's again, with the same examples and random numbers.
  void SaveTo(TrainingState& state) const;
  absl::Status RestoreFrom(const TrainingState& state);

  /// Examples of the training split.
  int64_t examples() const { return batches_.examples(); }
  /// Whether any step was recorded.
  bool has_recorded() const { return work_.has_recorded(); }
  /// How long the ranks' exchange in a step took, the median so far; nothing for one rank.
  std::optional<double> exchange_ms() const { return exchange_timer_.MedianMs(); }

 private:
  void NextBatch();
  void Begin(int64_t step);
  void End();
  Judgement Forward();             // of the batch, with its graph
  Judgement ForwardAndBackward();  // without
  void Learn();
  void Differentiate();
  void Exchange();
  void Update();

  const Experiment& experiment_;
  SequenceClassifier& model_;
  Group& group_;
  const c10::Device device_;
  const BatchMaker batches_;
  ShuffledOrder order_;
  Optimizer optimizer_;
  Batch batch_;  // the step's; each step's in the same memory
  Upload upload_;
  // Of a step that goes on: its examples, of all ranks, and what it has drawn from since.
  std::vector<int64_t> examples_;
  at::Tensor cpu_random_;
  at::Tensor device_random_;
  // Of the steps since the last TakeMeans, on the device so that a step waits for nothing.
  at::Tensor loss_sum_;
  at::Tensor right_sum_;  // float64, so that sums of counts are exact
  int64_t summed_steps_ = 0;
  RepeatedWork work_;  // a whole step of one rank, or up to the exchange
  // Of several ranks.
  std::optional<FlatGradient> gradient_;
  RepeatedWork update_;  // what follows the exchange
  ExchangeTimer exchange_timer_;
};

}  // namespace spion

#endif  // SPION_TRAIN_TRAINING_STEP_H_
