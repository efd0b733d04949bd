#include "spion/train/hyper_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

TEST(HyperParametersTest, PaperRowsAreThePublishedOnes) {
  const HyperParameters image = HyperParametersFor("image", Preset::kPaper).value();
  EXPECT_EQ(image.layers, 2);
  EXPECT_EQ(image.dropout, 0.1);
  EXPECT_EQ(image.weight_decay, 0);
  EXPECT_EQ(image.batch_size, 128);
  EXPECT_EQ(image.learning_rate, 1e-4);
  EXPECT_EQ(image.warmup_steps, 175);
  EXPECT_EQ(image.steps, 10'000);
  EXPECT_EQ(image.capture_interval, 500);
  EXPECT_EQ(image.block_size, 32);
  EXPECT_EQ(image.density, 0.04);
  EXPECT_EQ(image.threshold, 0.96);
  EXPECT_EQ(image.dense_step_limit, 0);
  const HyperParameters listops = HyperParametersFor("listops", Preset::kPaper).value();
  EXPECT_EQ(listops.layers, 4);
  EXPECT_EQ(listops.batch_size, 256);
  EXPECT_EQ(listops.block_size, 64);
  const HyperParameters pathfinder = HyperParametersFor("pathfinder", Preset::kPaper).value();
  EXPECT_EQ(pathfinder.layers, 2);
  EXPECT_EQ(pathfinder.batch_size, 256);
  EXPECT_EQ(pathfinder.learning_rate, 3e-4);
  EXPECT_EQ(pathfinder.warmup_steps, 312);
  EXPECT_EQ(pathfinder.steps, 50'000);
  EXPECT_EQ(pathfinder.capture_interval, 500);
  EXPECT_EQ(pathfinder.block_size, 32);
  EXPECT_EQ(pathfinder.density, 0.05);
  EXPECT_EQ(pathfinder.threshold, 0.96);
}

TEST(HyperParametersTest, LongTasksEvaluateLessOftenThanTheyCapture) {
  const HyperParameters text = HyperParametersFor("text", Preset::kPaper).value();
  EXPECT_EQ(text.capture_interval, 200);
  EXPECT_EQ(text.evaluation_interval, 1000);
  EXPECT_EQ(text.dev_examples, 6400);
  EXPECT_EQ(HyperParametersFor("retrieval", Preset::kPaper)->dev_examples, 9600);
  const HyperParameters image = HyperParametersFor("image", Preset::kPaper).value();
  EXPECT_EQ(image.evaluation_interval, 500);
  EXPECT_EQ(image.dev_examples, 0);
}

TEST(HyperParametersTest, QuickAlwaysReachesItsSparsePhase) {
  for (const char* task : {"image", "listops", "retrieval", "text", "pathfinder"}) {
    const HyperParameters quick = HyperParametersFor(task, Preset::kQuick).value();
    EXPECT_GT(quick.dense_step_limit, quick.capture_interval) << task;
    EXPECT_LT(quick.dense_step_limit, quick.steps) << task;
    // Both phases leave their best.
    EXPECT_LT(quick.evaluation_interval, quick.dense_step_limit) << task;
  }
}

TEST(SetHyperParameterTest, SetsTheFieldOfThatName) {
  HyperParameters h = HyperParametersFor("image", Preset::kPaper).value();
  for (const auto& [name, text] :
       std::vector<std::pair<const char*, const char*>>{{"steps", "24"},
                                                        {"sequence_length", "0"},
                                                        {"transition_limit_percent", "30"},
                                                        {"density", "0.1"},
                                                        {"dropout", "0"},
                                                        {"weight_decay", "0.01"},
                                                        {"shared_pattern", "true"},
                                                        {"excluded_pruned", "no"}}) {
    EXPECT_TRUE(SetHyperParameter(h, name, text).ok()) << name;
  }
  EXPECT_EQ(h.steps, 24);
  EXPECT_EQ(h.sequence_length, 0);
  EXPECT_EQ(h.transition_limit_percent, 30);
  EXPECT_EQ(h.density, 0.1);
  EXPECT_EQ(h.dropout, 0);
  EXPECT_EQ(h.weight_decay, 0.01);
  EXPECT_TRUE(h.shared_pattern);
  EXPECT_FALSE(h.excluded_pruned);
  EXPECT_EQ(h.batch_size, 128);
}

TEST(SetHyperParameterTest, SaysWhatWasExpectedAndLeavesTheRestAlone) {
  HyperParameters h;
  const auto error = [&](const char* name, const char* text) {
    return std::string(SetHyperParameter(h, name, text).message());
  };
  EXPECT_EQ(error("steps", "0"), "\"0\"; expected a whole number from 1 to 2147483647");
  EXPECT_EQ(error("dev_examples", "-1"), "\"-1\"; expected a whole number from 0 to 2147483647");
  EXPECT_EQ(error("transition_limit_percent", "101"),
            "\"101\"; expected a whole number from 0 to 100");
  EXPECT_EQ(error("batch_size", "1099511627776"),
            "\"1099511627776\"; expected a whole number from 1 to 2147483647");
  EXPECT_EQ(error("steps", "99999999999999999999"),
            "\"99999999999999999999\"; expected a whole number from 1 to 2147483647");
  EXPECT_EQ(error("density", "1.5"), "\"1.5\"; expected a number above 0 and not above 1");
  EXPECT_EQ(error("threshold", "nan"), "\"nan\"; expected a number above 0 and not above 1");
  EXPECT_EQ(error("dropout", "1"), "\"1\"; expected a number from 0 on and below 1");
  EXPECT_EQ(error("weight_decay", "-0.1"), "\"-0.1\"; expected a number from 0 on and below 1");
  EXPECT_EQ(error("dropout", "nan"), "\"nan\"; expected a number from 0 on and below 1");
  EXPECT_EQ(error("shared_pattern", "maybe"), "\"maybe\"; expected true or false");
  EXPECT_EQ(error("beta1", "0.5"), "there is no hyper-parameter \"beta1\" to set");
  EXPECT_EQ(h.steps, 0);
  EXPECT_EQ(h.density, 0);
}

TEST(OutOfRangeTest, OfWhatHasNoFlagToo) {
  HyperParameters h = HyperParametersFor("image", Preset::kPaper).value();
  EXPECT_EQ(OutOfRange(h, "layers"), "");
  EXPECT_EQ(OutOfRange(h, "beta2"), "");
  EXPECT_EQ(OutOfRange(h, "keep_maps"), "");
  h.layers = 1025;
  h.beta2 = 1;
  EXPECT_EQ(OutOfRange(h, "layers"), "1025; expected a whole number from 1 to 1024");
  EXPECT_EQ(OutOfRange(h, "beta2"), "1; expected a number from 0 on and below 1");
  h.gradient_limit = 5;
  EXPECT_EQ(OutOfRange(h, "gradient_limit"), "");
  h.gradient_limit = 0;
  EXPECT_EQ(OutOfRange(h, "gradient_limit"), "0; expected a finite number above 0");
}

TEST(SetHyperParameterTest, EveryFlagCanBeSet) {
  HyperParameters h;
  for (const HyperParameterFlag& flag : HyperParameterFlags()) {
    const char* value = flag.name == "dropout" || flag.name == "weight_decay" ? "0.5" : "1";
    EXPECT_TRUE(SetHyperParameter(h, flag.name, value).ok()) << flag.name;
  }
}

TEST(HyperParametersTest, NamesTheTasks) {
  const std::string message(HyperParametersFor("imagenet", Preset::kQuick).status().message());
  for (const char* name : {"\"imagenet\"", "image, ", "listops, ", "pathfinder, ", "text"}) {
    EXPECT_THAT(message, ::testing::HasSubstr(name));
  }
}

}  // namespace
}  // namespace spion
