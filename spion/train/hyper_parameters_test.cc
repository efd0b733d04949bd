#include "spion/train/hyper_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

TEST(HyperParametersTest, PaperRowsAreThePublishedOnes) {
  const HyperParameters image = HyperParametersFor("image", Preset::kPaper).value();
  EXPECT_EQ(image.layers, 2);
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

TEST(HyperParametersTest, QuickAlwaysReachesItsSparsePhase) {
  for (const char* task : {"image", "listops", "retrieval", "text", "pathfinder"}) {
    const HyperParameters quick = HyperParametersFor(task, Preset::kQuick).value();
    EXPECT_GT(quick.dense_step_limit, quick.capture_interval) << task;
    EXPECT_LT(quick.dense_step_limit, quick.steps) << task;
  }
}

TEST(HyperParametersTest, NamesTheTasks) {
  EXPECT_THAT(
      std::string(HyperParametersFor("imagenet", Preset::kQuick).status().message()),
      ::testing::AllOf(::testing::HasSubstr("\"imagenet\""),
                       ::testing::HasSubstr("image, listops, retrieval, text, pathfinder")));
}

}  // namespace
}  // namespace spion
