// What a training leaves in its folder.
#include "spion/run/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/profiling/trace.h"
#include "spion/run/reports.h"
#include "spion/train/safetensors.h"
#include "spion/train/small_training.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

// One run in a folder of its own, which the test finds empty.
RunDirectory Folder(const std::string& name) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/journal_", name);
  std::filesystem::remove_all(path);
  return RunDirectory::Create(path).value();
}

struct Written {
  TrainingResult result;
  std::string said;
};

Written TrainInto(const RunDirectory& run, const Experiment& experiment,
                  const TrainingOptions& options = {}) {
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  std::ostringstream said;
  TrainingResult result;
  {
    Progress progress(said, /*is_terminal=*/false);
    RunJournal journal(experiment, run, progress);
    result = Train(experiment, data, model, journal, options).value();
  }
  return {.result = std::move(result), .said = said.str()};
}

Json ReadJson(const RunDirectory& run, const std::string& name) {
  std::ifstream file(run.File(name).path());
  return Json::parse(file);
}

std::vector<Json> Metrics(const RunDirectory& run, const std::string& kind) {
  std::ifstream file(run.File("metrics.jsonl").path());
  std::vector<Json> found;
  for (std::string line; std::getline(file, line);) {
    Json metric = Json::parse(line);
    if (metric["kind"] == kind) found.push_back(std::move(metric));
  }
  return found;
}

// (event type, key) of each line of mllog.txt but POINT_IN_TIME, and the status of run_stop.
std::vector<std::string> MlLogIntervals(const RunDirectory& run) {
  std::ifstream file(run.File("mllog.txt").path());
  std::vector<std::string> intervals;
  for (std::string line; std::getline(file, line);) {
    const Json event = Json::parse(line.substr(line.find('{')));
    if (event["event_type"] == "POINT_IN_TIME") continue;
    intervals.push_back(event["key"]);
    if (event["key"] == "run_stop") intervals.push_back(event["metadata"]["status"]);
  }
  return intervals;
}

TEST(RunJournalTest, ALogThatCannotBeWrittenCostsNoStateWhateverTheFolderIsCalled) {
  for (const char* name : {"no_log", "no_log_in_r\xe9sultats"}) {
    const RunDirectory run = Folder(name);
    std::filesystem::create_directory(run.File("metrics.jsonl").path());
    const Written written = TrainInto(run, SmallSpionExperiment());
    EXPECT_THAT(written.said, HasSubstr("warning: cannot write"));
    const absl::StatusOr<TrainingState> state = LoadState(run.File("state.safetensors"));
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_THAT(state->Value<std::string>("journal.log_error").value(),
                HasSubstr("metrics.jsonl: Is a directory"));
  }
}

TEST(RunJournalTest, WritesAWholeRun) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.dense_step_limit = 10;
  const RunDirectory run = Folder("whole");
  const Written written = TrainInto(run, experiment);
  for (const char* name : {"best_sparse.safetensors", "last.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(run.File(name).path())) << name;
  }
  EXPECT_EQ(ReadJson(run, "patterns.json")["transition_step"], 10);
  EXPECT_EQ(ReadJson(run, "patterns.json")["layers"].size(), 1);
  // One block, and each row sums to 1.
  EXPECT_NEAR(ReadJson(run, "attention_maps.json")["layers"][0]["mean_of_block"][0][0], 1.0 / 16,
              1e-7);
  EXPECT_EQ(Metrics(run, "train").size(), 30);
  EXPECT_EQ(Metrics(run, "train").back()["phase"], "sparse");
  for (const Json& metric : Metrics(run, "train")) {
    EXPECT_EQ(metric["step_ms"].is_null(), metric["step"] == 10) << metric;  // the capture's
  }
  EXPECT_EQ(Metrics(run, "capture").size(), 1);
  EXPECT_EQ(Metrics(run, "transition")[0]["kept_blocks"], Json({1}));
  EXPECT_EQ(Metrics(run, "dev")[0]["examples"], 32);
  // Of the one block nothing is pruned.
  ASSERT_EQ(Metrics(run, "dev")[0]["pruned_share"].size(), 1);
  EXPECT_NEAR(Metrics(run, "dev")[0]["pruned_share"][0], 0, 1e-6);
  EXPECT_THAT(MlLogIntervals(run), ElementsAre("run_start", "block_start", "block_stop",
                                               "eval_start", "eval_stop", "run_stop", "success"));
  for (const char* text :
       {"capture 1 at step 10", "limit of 10 dense steps, the preset's, is reached",
        "layer 0 keeps 1 of 1 blocks of 16 x 16", "dev at step 30"}) {
    EXPECT_THAT(written.said, HasSubstr(text));
  }
}

TEST(RunJournalTest, WritesWholeMapsIfAskedTo) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.dense_step_limit = 10;
  const RunDirectory without = Folder("no_maps");
  TrainInto(without, experiment);
  EXPECT_FALSE(std::filesystem::exists(without.File("attention_maps.safetensors").path()));
  experiment.keep_maps = true;
  const RunDirectory run = Folder("maps");
  TrainInto(run, experiment);
  const TensorFile file = LoadTensors(run.File("attention_maps.safetensors")).value();
  ASSERT_EQ(file.tensors.size(), 1u);
  EXPECT_NEAR(file.tensors.at("layer.0").mean().item<double>(),
              ReadJson(run, "attention_maps.json")["layers"][0]["mean_of_block"][0][0], 1e-7);
}

TEST(RunJournalTest, SaysThatALimitIsTheUsers) {
  Experiment experiment = SmallSpionExperiment();
  experiment.hyper_parameters.dense_step_limit = 10;
  experiment.given = {{"dense_step_limit", "10"}};
  EXPECT_THAT(TrainInto(Folder("given"), experiment).said,
              HasSubstr("limit of 10 dense steps, --dense_step_limit, is reached"));
}

TEST(RunJournalTest, SaysOnWhichSideOfTheLimitADistancesChangeIs) {
  const Experiment experiment = SmallSpionExperiment();  // its limit is 15 %
  const RunDirectory run = Folder("changes");
  std::ostringstream said;
  Progress progress(said, /*is_terminal=*/false);
  RunJournal journal(experiment, run, progress);
  Capture capture;
  capture.index = 3;
  capture.step = 60;
  capture.change_percent = {0.32, 14.96, 14.9996,
                            15.0, 15.04, std::numeric_limits<double>::infinity()};
  ASSERT_TRUE(journal.OnCapture({}, capture).ok());
  EXPECT_EQ(said.str(),
            "capture 3 at step 60: distances between attention maps changed by 0.3 %  14.96 %  "
            "14.9996 %  15.0 %  15.0 %  inf % (settled below 15 %)\n");
}

TEST(RunJournalTest, OfASinglePhaseNamesNone) {
  const RunDirectory run = Folder("single");
  const Written written = TrainInto(run, SmallDenseExperiment(Precision::kFloat32));
  EXPECT_TRUE(std::filesystem::exists(run.File("best.safetensors").path()));
  EXPECT_FALSE(std::filesystem::exists(run.File("best_dense.safetensors").path()));
  EXPECT_EQ(Metrics(run, "train").back()["phase"], "single");
  EXPECT_THAT(written.said, HasSubstr("dev at step 30"));
  EXPECT_THAT(written.said, ::testing::Not(HasSubstr("phase")));
}

TEST(RunJournalTest, WritesPatternsThatAMethodFixes) {
  const Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const RunDirectory run = Folder("fixed");
  std::ostringstream unread;
  Progress progress(unread, /*is_terminal=*/false);
  const RunJournal journal(experiment, run, progress);
  const BlockPattern pattern = BlockPattern::FromMask(2, 16, {true, false, false, true}).value();
  ASSERT_TRUE(journal.WritePatterns({pattern}, std::nullopt).ok());
  EXPECT_TRUE(ReadJson(run, "patterns.json")["transition_step"].is_null());
  EXPECT_EQ(ReadJson(run, "patterns.json")["layers"][0]["kept_blocks"], 2);
}

TEST(RunJournalTest, ATraceThatCannotBeWrittenIsSaidAndTrainingGoesOn) {
  const RunDirectory run = Folder("untraced");
  const std::string path = ::testing::TempDir() + "/journal_trace.json";
  const std::unique_ptr<Trace> trace =
      Trace::Create({.path = path, .first_step = 2, .last_step = 3}).value();
  std::filesystem::create_directory(path);  // in the place of the file
  const Written written =
      TrainInto(run, SmallDenseExperiment(Precision::kFloat32), {.trace = trace.get()});
  EXPECT_EQ(written.result.steps, 30);
  EXPECT_THAT(written.said, HasSubstr("warning: cannot rename " + path));
  EXPECT_THAT(written.said, HasSubstr("; training goes on, without the trace\n"));
  EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(RunJournalTest, CountsALongEvaluationOnATerminal) {
  const Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const RunDirectory run = Folder("terminal");
  const TaskData data = SmallData();
  SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  std::ostringstream said;
  absl::Time now;
  Progress progress(said, /*is_terminal=*/true, [&] { return now += absl::Seconds(1); });
  RunJournal journal(experiment, run, progress);
  ASSERT_TRUE(Train(experiment, data, model, journal).ok());
  EXPECT_THAT(said.str(), HasSubstr("dev at step 30: 16 of 32 examples"));
}

TEST(RunJournalTest, WritesAnInterruptedRun) {
  const RunDirectory run = Folder("interrupted");
  TrainInto(run, SmallDenseExperiment(Precision::kFloat32),
            {.stop_requested = [] { return true; }});
  EXPECT_TRUE(std::filesystem::exists(run.File("interrupted.safetensors").path()));
  EXPECT_FALSE(std::filesystem::exists(run.File("last.safetensors").path()));
  EXPECT_THAT(MlLogIntervals(run),
              ElementsAre("run_start", "block_start", "block_stop", "run_stop", "aborted"));
}

TEST(BestTest, OfADenseRunWithATransitionInItsLastStepIsTheDenseOne) {
  Experiment experiment = SmallSpionExperiment();
  HyperParameters& h = experiment.hyper_parameters;
  h.dense_step_limit = h.steps;
  h.transition_limit_percent = 0;
  const RunDirectory run = Folder("last_step");
  const TrainingResult result = TrainInto(run, experiment).result;
  std::ostringstream unread;
  Progress progress(unread, /*is_terminal=*/false);
  const RunJournal journal(experiment, run, progress);
  EXPECT_EQ(journal.LoadBest(result)->info.phase, Phase::kDense);
  const Json summary =
      Summary(experiment, ModelConfigFor(kSmallShape, h), result, {}, {}, at::kCPU);
  EXPECT_EQ(summary["test_phase"], "dense");
  EXPECT_EQ(summary["test_step"], 30);
  EXPECT_EQ(summary["transition_step"], 30);
}

TEST(BestTest, IsReadBackOnlyIfThisRunSavedIt) {
  const Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  const RunDirectory run = Folder("mine");
  const TrainingResult mine = TrainInto(run, experiment).result;
  std::ostringstream unread;
  Progress progress(unread, /*is_terminal=*/false);
  const RunJournal journal(experiment, run, progress);
  EXPECT_TRUE(journal.LoadBest(mine).ok());

  const FilePlace place = run.File("best.safetensors");
  const CheckpointInfo info = LoadCheckpoint(place)->info;
  const SequenceClassifier model = MakeModel(experiment, kSmallShape, at::kCPU);
  using Change = void (*)(CheckpointInfo&);
  for (const auto& [change, found] : {
           std::pair<Change, const char*>{[](auto& i) { i.seed = 4; }, "seed 4, step 30"},
           {[](auto& i) { i.step = 20; }, "seed 3, step 20"},
           {[](auto& i) { i.task = "text"; }, "text dense"},
           {[](auto& i) { i.method = "sdpa"; }, "image sdpa"},
       }) {
    CheckpointInfo other = info;
    change(other);
    ASSERT_TRUE(SaveCheckpoint(place, TakeCheckpoint(other, model)).ok());
    const absl::Status status = journal.LoadBest(mine).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                ::testing::AllOf(HasSubstr(found), HasSubstr("this run saved one of image dense"),
                                 HasSubstr(place.path())));
  }
}

TEST(SummaryTest, SaysWhichOfTwoDenseAttentionsItHas) {
  Experiment experiment = SmallDenseExperiment(Precision::kBfloat16);
  const c10::Device gpu(at::kCUDA, 0);
  TaskShape shape = kSmallShape;
  shape.sequence_length = 64;
  const auto told = [&](c10::Device device) {
    Json summary = Json::object();
    AddDenseAttention(experiment, shape, device, summary);
    return summary;
  };
  EXPECT_EQ(told(gpu), Json::object());  // it has one alone
  experiment.method.has_every_block = true;
  EXPECT_EQ(told(gpu), Json({{"dense_attention", "every block"}}));
  EXPECT_EQ(told(at::kCPU), Json({{"dense_attention", "LibTorch"}}));
  experiment.precision = Precision::kTf32;
  shape.has_padding = false;
  EXPECT_EQ(told(gpu), Json({{"dense_attention", "LibTorch"}}));
  shape.has_padding = true;
  EXPECT_EQ(told(gpu), Json({{"dense_attention", "every block"}}));
}

TEST(SummaryTest, SaysWhetherStepsWereRecorded) {
  const Experiment experiment = SmallDenseExperiment(Precision::kFloat32);
  TrainingResult result;
  for (bool recorded : {false, true}) {
    result.recorded = recorded;
    EXPECT_EQ(Summary(experiment, ModelConfigFor(kSmallShape, experiment.hyper_parameters), result,
                      {}, {}, at::kCPU)["cuda_graph"],
              recorded);
  }
}

}  // namespace
}  // namespace spion
