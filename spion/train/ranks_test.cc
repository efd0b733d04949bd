// Several ranks train the model that one process trains with the same batches. Ranks are threads
// here; dropout is 0, as on a CPU each draws for itself.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/base/random.h"
#include "spion/collective/rank_threads.h"
#include "spion/nn/attention.h"
#include "spion/platform/recorder.h"
#include "spion/train/replayed.h"
#include "spion/train/small_training.h"
#include "spion/train/trainer.h"
#include "spion/train/training_state.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr TaskShape kShape{
    .sequence_length = 48, .vocabulary = 9, .classes = 2, .has_padding = true};
constexpr int64_t kTransition = 20;

// Of all lengths, for so a mean over ranks that weighs them wrongly shows. The label is the parity
// of the first id. 37 to evaluate: rounds of batches do not come out even.
TaskData Data() {
  TaskData data(kShape);
  Random random(5);
  const auto add = [&](Split& split, int examples) {
    for (int example = 0; example < examples; ++example) {
      std::vector<uint8_t> bytes(1 + random.Below(48));
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(8));
      const absl::Span<const uint8_t> sequence = bytes;
      split.AddExample({sequence}, bytes[0] % 2);
    }
  };
  add(data.train, 60);
  add(data.dev, 37);
  return data;
}

// 20 dense steps, 20 sparse ones.
Experiment TestExperiment() {
  Experiment experiment = SmallSpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.layers = 2;
  h.batch_size = 12;
  h.steps = 40;
  h.warmup_steps = 5;
  h.learning_rate = 1e-3;
  h.capture_interval = 5;
  h.dense_step_limit = kTransition;
  h.transition_limit_percent = 0;
  h.evaluation_interval = 10;
  h.gradient_limit = 1e-3;  // so that it clips
  return experiment;
}

// What the logs would say, as numbers, and the last state.
class Kept : public TrainingEvents {
 public:
  absl::Status OnReport(const TrainingPosition& at, const TrainingReport& report) override {
    numbers[absl::StrCat("train loss ", at.step)] = report.loss;
    numbers[absl::StrCat("train accuracy ", at.step)] = report.accuracy;
    return absl::OkStatus();
  }
  absl::Status OnEvaluation(const TrainingPosition& at, const Evaluation& dev) override {
    numbers[absl::StrCat("dev loss ", at.step)] = dev.loss;
    numbers[absl::StrCat("dev accuracy ", at.step)] = dev.accuracy;
    return absl::OkStatus();
  }
  absl::Status OnCapture(const TrainingPosition& at, const Capture& capture) override {
    for (size_t layer = 0; layer < capture.distance.size(); ++layer) {
      numbers[absl::StrCat("distance ", at.step, " ", layer)] = capture.distance[layer];
    }
    return absl::OkStatus();
  }
  absl::Status OnModel(SavedModel which, const Checkpoint& checkpoint) override {
    if (which != SavedModel::kBest) last = checkpoint;
    return absl::OkStatus();
  }
  absl::Status OnState(const TrainingPosition& /*at*/, StateReason /*reason*/,
                       TrainingState& saved) override {
    // By way of a file, as a process would have it.
    const std::string path = absl::StrCat(::testing::TempDir(), "/ranks_state");
    EXPECT_TRUE(SaveState(path, saved).ok());
    state = LoadState(path).value();
    return absl::OkStatus();
  }

  std::map<std::string, double> numbers;
  std::optional<Checkpoint> last;
  std::optional<TrainingState> state;
};

// What each rank came to.
struct Trained {
  std::vector<Kept> kept;
  std::vector<absl::StatusOr<TrainingResult>> results;
};

// Without dropout. Weights come from one generator for all threads; ranks other than 0 draw others,
// which must not count.
std::unique_ptr<SequenceClassifier> MakeRankModel(const Experiment& experiment, int rank) {
  static std::mutex making;
  const std::lock_guard<std::mutex> lock(making);
  ModelConfig config = ModelConfigFor(kShape, experiment.hyper_parameters);
  config.dropout = 0;
  at::manual_seed(7 + rank);
  return std::make_unique<SequenceClassifier>(config, at::kCPU, experiment.method.make_attention);
}

using Change = std::function<void(int rank, TrainingOptions& options)>;

Trained TrainByRanks(const Experiment& experiment, int ranks, const Change& change = nullptr) {
  at::set_num_threads(1);
  const TaskData data = Data();
  Trained trained{std::vector<Kept>(ranks),
                  std::vector<absl::StatusOr<TrainingResult>>(ranks, TrainingResult())};
  RunRanks(ranks, [&](Group& group) {
    at::set_num_threads(1);
    const auto model = MakeRankModel(experiment, group.rank());
    TrainingOptions options;
    options.group = &group;
    if (change) change(group.rank(), options);
    trained.results[group.rank()] =
        Train(experiment, data, *model, trained.kept[group.rank()], options);
  });
  return trained;
}

void ExpectSame(const Trained& trained, const Trained& alone) {
  const Kept& expected = alone.kept.front();
  for (size_t rank = 0; rank < trained.kept.size(); ++rank) {
    const absl::StatusOr<TrainingResult>& result = trained.results[rank];
    ASSERT_TRUE(result.ok()) << rank << ": " << result.status();
    EXPECT_EQ(result->steps, 40) << rank;
    EXPECT_EQ(result->transition_step, kTransition) << rank;
    EXPECT_EQ(result->patterns, alone.results[0]->patterns) << rank;
    const Kept& kept = trained.kept[rank];
    ASSERT_TRUE(kept.last.has_value()) << rank;
    for (const auto& [name, weight] : expected.last->weights) {
      const at::Tensor difference = (kept.last->weights.at(name) - weight).abs().max();
      EXPECT_LT(difference.item<double>(), 1e-5) << rank << " " << name;
      // Among ranks every bit.
      EXPECT_TRUE(kept.last->weights.at(name).equal(trained.kept[0].last->weights.at(name)))
          << rank << " " << name;
    }
    EXPECT_EQ(kept.numbers.size(), expected.numbers.size()) << rank;
    for (const auto& [name, number] : expected.numbers) {
      ASSERT_EQ(kept.numbers.count(name), 1) << rank << " " << name;
      EXPECT_NEAR(kept.numbers.at(name), number, 1e-5) << rank << " " << name;
    }
  }
}

class RanksTest : public testing::TestWithParam<int> {};

TEST_P(RanksTest, TrainTheModelOfOneProcess) {
  const Experiment experiment = TestExperiment();
  const Trained alone = TrainByRanks(experiment, 1);
  ASSERT_TRUE(alone.results[0].ok());
  ASSERT_FALSE(alone.results[0]->patterns.empty());
  const Trained trained = TrainByRanks(experiment, GetParam());
  ExpectSame(trained, alone);
  EXPECT_THAT(alone.results[0]->exchange_ms, IsEmpty());
  EXPECT_THAT(trained.results[0]->exchange_ms, SizeIs(trained.results.size()));
  EXPECT_THAT(trained.results[0]->exchange_ms, Each(Gt(0)));
  EXPECT_EQ(trained.results[0]->exchange_ms, trained.results[1]->exchange_ms);
  // Only rank 0's state is handed out.
  for (int rank = 0; rank < GetParam(); ++rank) {
    EXPECT_EQ(trained.kept[rank].state.has_value(), rank == 0);
  }
}

// At any rank's wish, which all hear one step later, between two captures, in the sparse phase, or
// at once in an evaluation (asked before its first batch); another number of ranks goes on.
TEST_P(RanksTest, AnotherNumberOfRanksGoesOn) {
  const Experiment experiment = TestExperiment();
  const Trained alone = TrainByRanks(experiment, 1);
  const int ranks = GetParam();
  constexpr int64_t kEvaluated = 10;
  for (const int64_t stop : {int64_t{7}, kEvaluated, int64_t{33}}) {
    const Trained stopped =
        TrainByRanks(experiment, ranks, [&](int rank, TrainingOptions& options) {
          const auto reached = std::make_shared<int64_t>(0);
          options.on_step = [reached](int64_t step) { *reached = step; };
          options.stop_requested = [=] { return rank == ranks - 1 && *reached >= stop; };
        });
    for (const absl::StatusOr<TrainingResult>& result : stopped.results) {
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_TRUE(result->interrupted);
      EXPECT_EQ(result->steps, stop == kEvaluated ? stop : stop + 1);
    }
    ASSERT_TRUE(stopped.kept[0].state.has_value());
    for (const int others : {1, 2, 3}) {
      const TrainingState& state = *stopped.kept[0].state;
      Trained resumed =
          TrainByRanks(experiment, others,
                       [&](int /*rank*/, TrainingOptions& options) { options.state = &state; });
      // What was said before the stop.
      for (Kept& kept : resumed.kept)
        kept.numbers.insert(stopped.kept[0].numbers.begin(), stopped.kept[0].numbers.end());
      SCOPED_TRACE(absl::StrCat("stopped at ", stop, ", gone on with by ", others));
      ExpectSame(resumed, alone);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, RanksTest, testing::Values(2, 3));

// In each phase, on each rank: what comes before the exchange, and what comes after it.
TEST(RecordedRanksTest, AreTheSameInTwoRecordings) {
  const Experiment experiment = TestExperiment();
  const Trained unrecorded = TrainByRanks(experiment, 2);
  static std::atomic<int> recordings = 0;
  recordings = 0;
  RegisterRecorder(at::kCPU, [](c10::Device, const std::function<void()>& work) {
    ++recordings;
    return Replayed::Of(work);
  });
  const Trained recorded = TrainByRanks(experiment, 2);
  RegisterRecorder(at::kCPU, nullptr);
  EXPECT_EQ(recordings, 2 * 2 * 2);
  ExpectSame(recorded, unrecorded);
  for (const auto& [name, weight] : unrecorded.kept[0].last->weights) {
    EXPECT_TRUE(recorded.kept[0].last->weights.at(name).equal(weight)) << name;
  }
}

// Devices that compute wrongly, from step 13 on. If it is rank 0's, the others differ from it.
TEST(RanksDisagreeTest, WhoseWeightsDifferIsNamed) {
  Experiment experiment = TestExperiment();
  experiment.hyper_parameters.steps = 20;
  const TaskData data = Data();
  const std::pair<int, const char*> cases[] = {{1, "rank 1"}, {2, "rank 2"}, {0, "ranks 1, 2"}};
  for (const auto& [wrong, named] : cases) {
    std::vector<absl::Status> ends(3);
    RunRanks(3, [&](Group& group) {
      at::set_num_threads(1);
      const auto model = MakeRankModel(experiment, group.rank());
      TrainingOptions options;
      options.group = &group;
      options.on_step = [&](int64_t step) {
        if (group.rank() != wrong || step != 13) return;
        at::Tensor weight = model->parameters().items()[3].value.detach();
        weight.view(-1)[0] += 1e-6;
      };
      Kept kept;
      ends[group.rank()] = Train(experiment, data, *model, kept, options).status();
    });
    for (const absl::Status& end : ends) {
      EXPECT_EQ(end.code(), absl::StatusCode::kInternal);
      EXPECT_THAT(std::string(end.message()),
                  AllOf(HasSubstr("at step 20"),
                        HasSubstr(absl::StrCat("the weights of ", named, " are not those"))));
    }
  }
}

}  // namespace
}  // namespace spion
