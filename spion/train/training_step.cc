#include "spion/train/training_step.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/ops/token_rows.h"
#include "spion/platform/random_state.h"
#include "spion/platform/recorder.h"
#include "spion/profiling/range.h"
#include "spion/train/random_streams.h"

namespace spion {
namespace {

constexpr char kExamples[] = "step.examples";
constexpr char kCpuRandom[] = "random.cpu";
constexpr char kDeviceRandom[] = "random.device";
constexpr char kLossSum[] = "step.loss_sum";
constexpr char kRightSum[] = "step.right_sum";
constexpr char kSummedSteps[] = "step.summed_steps";

Recorder RecorderOf(const Experiment& experiment, c10::Device device) {
  return experiment.cuda_graph ? FindRecorder(device.type()) : nullptr;
}

}  // namespace

TrainingStep::TrainingStep(const Experiment& experiment, SequenceClassifier& model,
                           const Split& train, Group& group)
    : experiment_(experiment),
      model_(model),
      group_(group),
      device_(model.parameters().device()),
      batches_(train, device_),
      order_(train.examples(), DeriveSeed(experiment.seed, kExampleOrderStream)),
      optimizer_(model.parameters(), experiment.hyper_parameters),
      upload_(device_),
      loss_sum_(at::zeros({}, device_)),
      right_sum_(at::zeros({}, at::TensorOptions(at::kDouble).device(device_))),
      work_(device_, RecorderOf(experiment, device_)),
      update_(device_, RecorderOf(experiment, device_)),
      exchange_timer_(device_) {
  if (group_.ranks() == 1) return;
  gradient_.emplace(model.parameters());
  SetBatchSlice(group_.rank());
}

void TrainingStep::NextBatch() {
  const ProfileRange range(Region::kData);
  if (examples_.empty()) examples_ = order_.Next(experiment_.hyper_parameters.batch_size);
  const int64_t share = experiment_.hyper_parameters.batch_size / group_.ranks();
  const absl::Span<const int64_t> own = absl::MakeConstSpan(examples_).subspan(
      static_cast<size_t>(group_.rank() * share), static_cast<size_t>(share));
  if (batch_.storage.defined()) {
    upload_.Copy(batches_.Bytes(own), batch_.storage);
  } else {
    batch_ = batches_.Make(own);
  }
}

Judgement TrainingStep::Forward() {
  const ProfileRange range(Region::kForward);
  const AutocastScope autocast(experiment_.precision, device_);
  const at::Tensor logits = model_.Forward(batch_.ids, batch_.lengths, /*training=*/true);
  return JudgeLogits(logits, batch_.labels);
}

Judgement TrainingStep::ForwardAndBackward() {
  Judgement judgement = Forward();
  const ProfileRange backward(Region::kBackward);
  judgement.loss.backward();
  judgement.loss = judgement.loss.detach();
  return judgement;
}

// What a step does on the device, reading nothing back. What lasts comes last, so that a step whose
// forward or backward pass fails leaves all as it was.
void TrainingStep::Learn() {
  const Judgement judgement = ForwardAndBackward();
  const ProfileRange optimizer(Region::kOptimizer);
  optimizer_.Step();
  loss_sum_.add_(judgement.loss);
  right_sum_.add_(judgement.right);
}

// The same by several ranks, in three parts. Nothing lasts before the last.
void TrainingStep::Differentiate() {
  const Judgement judgement = ForwardAndBackward();
  gradient_->Fill(optimizer_.TakeGradients(), judgement.loss, judgement.right);
}

void TrainingStep::Exchange() {
  exchange_timer_.Start();
  group_.Sum(gradient_->all());
  exchange_timer_.Stop();
}

void TrainingStep::Update() {
  const ProfileRange optimizer(Region::kOptimizer);
  const double share = 1.0 / group_.ranks();
  optimizer_.Step(gradient_->gradients(), share);
  loss_sum_.add_(gradient_->loss(), share);
  right_sum_.add_(gradient_->right());
}

void TrainingStep::Begin(int64_t step) {
  cpu_random_ = RandomState(at::kCPU);
  if (!device_.is_cpu()) device_random_ = RandomState(device_);
  if (device_.is_cpu() && group_.ranks() > 1) {
    // A GPU draws by place, a CPU in the order of its work: each rank draws for itself, and again
    // the same when it goes on from a state, which has rank 0's numbers alone.
    at::manual_seed(DeriveSeed(DeriveSeed(experiment_.seed, kRankStream),
                               static_cast<uint64_t>(step * group_.ranks() + group_.rank())));
  }
  NextBatch();
}

void TrainingStep::End() {
  examples_.clear();
  ++summed_steps_;
}

void TrainingStep::Run(int64_t step, double learning_rate, int64_t key) {
  Begin(step);
  optimizer_.SetLearningRate(learning_rate);
  if (gradient_.has_value()) {
    work_.Run(key, [this] { Differentiate(); });
    Exchange();
    update_.Run(key, [this] { Update(); });
  } else {
    work_.Run(key, [this] { Learn(); });
  }
  End();
}

void TrainingStep::Look(int64_t step) {
  const RandomStateScope random(device_);
  const c10::NoGradGuard no_grad;
  Begin(step);
  Forward();
}

void TrainingStep::RunUnrecorded(int64_t step, double learning_rate) {
  Begin(step);
  optimizer_.SetLearningRate(learning_rate);
  if (gradient_.has_value()) {
    Differentiate();
    Exchange();
    Update();
  } else {
    Learn();
  }
  End();
}

void TrainingStep::DropRecording() {
  work_.Drop();
  update_.Drop();
}

void TrainingStep::SaveTo(TrainingState& state) const {
  const bool goes_on = !examples_.empty();
  order_.SaveTo(state);
  optimizer_.SaveTo(state);
  state.PutValue(kExamples, examples_);
  state.Put(kCpuRandom, goes_on ? cpu_random_ : RandomState(at::kCPU));
  if (!device_.is_cpu()) {
    state.Put(kDeviceRandom, goes_on ? device_random_ : RandomState(device_));
  }
  state.Put(kLossSum, loss_sum_);
  state.Put(kRightSum, right_sum_.to(at::kLong));
  state.PutValue(kSummedSteps, summed_steps_);
}

absl::Status TrainingStep::RestoreFrom(const TrainingState& state) {
  RETURN_IF_ERROR(order_.RestoreFrom(state));
  RETURN_IF_ERROR(optimizer_.RestoreFrom(state));
  ASSIGN_OR_RETURN(examples_, state.Value<std::vector<int64_t>>(kExamples));
  RETURN_IF_ERROR(state.CopyTo(kLossSum, loss_sum_));
  at::Tensor right_sum = right_sum_.to(at::kLong);
  RETURN_IF_ERROR(state.CopyTo(kRightSum, right_sum));
  right_sum_.copy_(right_sum);
  ASSIGN_OR_RETURN(summed_steps_, state.Value<int64_t>(kSummedSteps));
  if (!device_.is_cpu()) {
    ASSIGN_OR_RETURN(const at::Tensor random, state.Get(kDeviceRandom, at::kByte));
    RETURN_IF_ERROR(SetRandomState(device_, random));
  }
  ASSIGN_OR_RETURN(const at::Tensor random, state.Get(kCpuRandom, at::kByte));
  return SetRandomState(at::kCPU, random);
}

TrainingStep::Means TrainingStep::TakeMeans() {
  const auto steps = static_cast<double>(std::exchange(summed_steps_, 0));
  const auto batch = static_cast<double>(experiment_.hyper_parameters.batch_size);
  const Means means = {.loss = loss_sum_.item<double>() / steps,
                       .accuracy = right_sum_.item<double>() / (steps * batch)};
  loss_sum_.zero_();
  right_sum_.zero_();
  exchange_timer_.Collect();
  return means;
}

}  // namespace spion
