#include "spion/train/phase_controller.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "spion/base/random.h"
#include "spion/collective/rank_threads.h"
#include "spion/pattern/shuffled_pattern.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kLength = 64;

PhaseOptions Options() {
  GeneratorOptions generator;
  generator.kind = PatternKind::kF;
  generator.block_size = 16;
  generator.threshold = 0.9;
  return {.capture_interval = 2,
          .transition_limit_percent = 15,
          .dense_step_limit = 0,
          .generator = generator};
}

// One training step whose attention looks only at one key: q and k are along one axis, and key
// `key` is longer by far. The map is then 1 in that column.
absl::StatusOr<std::optional<Capture>> StepOf(PhaseController& phases,
                                              const std::vector<SpionAttention*>& layers,
                                              int64_t length, int64_t step, int64_t key) {
  phases.BeforeForward(step);
  const at::Tensor q = at::full({1, 1, length, 16}, 1.0);
  at::Tensor k = at::zeros({1, 1, length, 16});
  k.select(2, key).fill_(100);
  for (SpionAttention* layer : layers) layer->Forward(q, k, q, std::nullopt);
  phases.TakeMaps(step);
  return phases.AfterStep(step);
}

class PhaseControllerTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::optional<Capture>> Step(PhaseController& phases, int64_t step, int64_t key) {
    return StepOf(phases, layers_, kLength, step, key);
  }

  SpionAttention first_{/*layer=*/0, kLength, at::kCPU, PrunedScore::kZero};
  SpionAttention second_{/*layer=*/1, kLength, at::kCPU, PrunedScore::kZero};
  std::vector<SpionAttention*> layers_ = {&first_, &second_};
};

TEST_F(PhaseControllerTest, ComparesNeighbouringCapturesAndSwitchesWhenSettled) {
  PhaseController phases(layers_, Options());
  EXPECT_FALSE(Step(phases, 1, 0)->has_value());
  Capture capture = **Step(phases, 2, 0);
  EXPECT_EQ(capture.index, 1);
  EXPECT_THAT(capture.distance, IsEmpty());

  // Two whole columns swapped: the distance is sqrt(2 * 64).
  capture = **Step(phases, 4, 5);
  EXPECT_EQ(capture.index, 2);
  EXPECT_NEAR(capture.distance[0], std::sqrt(128.0), 1e-4);
  EXPECT_THAT(capture.change_percent, IsEmpty());

  // Back to the first map: far from the second, as far as before. Compared with the first map (the
  // reference's quirk) the distance would be 0.
  capture = **Step(phases, 6, 0);
  EXPECT_NEAR(capture.distance[0], std::sqrt(128.0), 1e-4);
  EXPECT_NEAR(capture.change_percent[1], 0, 1e-3);
  EXPECT_EQ(capture.index, 3);
  EXPECT_TRUE(capture.settled);
  EXPECT_TRUE(capture.transition);
  EXPECT_EQ(phases.phase(), Phase::kSparse);
  ASSERT_EQ(capture.patterns.size(), 2u);
  EXPECT_EQ(*first_.pattern(), capture.patterns[0]);
  EXPECT_EQ(*second_.pattern(), capture.patterns[1]);
  TrainingState state;
  phases.SaveTo(state);
  EXPECT_FALSE(state.Has("phases.previous_map.0"));  // they are large, and over

  EXPECT_FALSE(Step(phases, 8, 0)->has_value());  // no captures in the sparse phase
}

TEST(DistanceTest, IsOverAllRows) {
  constexpr int64_t kLong = 320;  // more than are compared at once
  SpionAttention layer(/*layer=*/0, kLong, at::kCPU, PrunedScore::kZero);
  PhaseController phases({&layer}, Options());
  ASSERT_TRUE(StepOf(phases, {&layer}, kLong, 2, 0).ok());
  const Capture capture = **StepOf(phases, {&layer}, kLong, 4, 5);
  EXPECT_NEAR(capture.distance[0], std::sqrt(2.0 * kLong), 1e-4);
}

// Rank 0's map moves, the other's stays: so does half of the mean.
TEST(RanksTest, JudgeTheMeanOfTheirMapsAndAreToldWhatCameOfIt) {
  RunRanks(2, [](Group& group) {
    SpionAttention layer(/*layer=*/0, kLength, at::kCPU, PrunedScore::kZero);
    PhaseController phases({&layer}, Options(), group);
    const auto step = [&](int64_t number, int64_t key) {
      return **StepOf(phases, {&layer}, kLength, number, group.leads() ? key : 40);
    };
    step(2, 0);
    EXPECT_NEAR(step(4, 5).distance.at(0), std::sqrt(128.0) / 2, 1e-4);
    const Capture capture = step(6, 0);
    EXPECT_EQ(capture.step, 6);
    EXPECT_EQ(capture.index, 3);
    EXPECT_NEAR(capture.change_percent.at(0), 0, 1e-3);
    EXPECT_TRUE(capture.settled);
    EXPECT_TRUE(capture.transition);
    ASSERT_EQ(capture.patterns.size(), 1u);
    EXPECT_EQ(*layer.pattern(), capture.patterns[0]);
  });
}

TEST_F(PhaseControllerTest, GoesOnWhileOneLayerMoves) {
  PhaseController phases(layers_, Options());
  ASSERT_TRUE(Step(phases, 2, 0).ok());
  ASSERT_TRUE(Step(phases, 4, 5).ok());
  const Capture capture = **Step(phases, 6, 5);  // distance 0 after sqrt(128): 100 % of change
  EXPECT_THAT(capture.change_percent, ElementsAre(100, 100));
  EXPECT_FALSE(capture.settled);
  EXPECT_EQ(phases.phase(), Phase::kDense);
}

TEST_F(PhaseControllerTest, TheStepLimitEndsTheDensePhaseAndSaysSo) {
  PhaseOptions options = Options();
  options.dense_step_limit = 5;
  PhaseController phases(layers_, options);
  EXPECT_FALSE((**Step(phases, 2, 0)).transition);
  const Capture capture = **Step(phases, 4, 5);  // the next one would be at step 6
  EXPECT_TRUE(capture.transition);
  EXPECT_FALSE(capture.settled);
}

// Two layers that look at keys of different blocks.
class TwoMapsTest : public PhaseControllerTest {
 protected:
  Capture Transition(const PhaseOptions& options) {
    PhaseController phases(layers_, options);
    phases.BeforeForward(2);
    const at::Tensor q = at::full({1, 1, kLength, 16}, 1.0);
    for (size_t l = 0; l < layers_.size(); ++l) {
      at::Tensor k = at::zeros({1, 1, kLength, 16});
      k.select(2, kKeys[l]).fill_(100);
      layers_[l]->Forward(q, k, q, std::nullopt);
    }
    phases.TakeMaps(2);
    return **phases.AfterStep(2);
  }

  static constexpr int64_t kKeys[] = {3, 40};
};

TEST_F(TwoMapsTest, KeepsTheMapsOfTheTransitionBlockByBlock) {
  PhaseOptions options = Options();
  options.dense_step_limit = 2;
  const Capture capture = Transition(options);
  ASSERT_EQ(capture.pooled_maps.size(), 2u);
  for (size_t l = 0; l < layers_.size(); ++l) {
    for (int row = 0; row < 4; ++row) {
      for (int column = 0; column < 4; ++column) {
        // One column of ones in a block of 16.
        const double expected = column == kKeys[l] / 16 ? 1.0 / 16 : 0;
        EXPECT_NEAR(capture.pooled_maps[l].at(row, column), expected, 1e-6);
      }
    }
  }
}

TEST_F(TwoMapsTest, ASharedPatternIsMadeFromTheMeanOfTheMaps) {
  PhaseOptions options = Options();
  options.dense_step_limit = 2;
  options.generator.kind = PatternKind::kC;
  options.generator.density = 10.0 / 16;  // 6 blocks beside the diagonal
  const Capture apart = Transition(options);
  EXPECT_NE(apart.patterns[0], apart.patterns[1]);

  first_ = SpionAttention(0, kLength, at::kCPU, PrunedScore::kZero);
  second_ = SpionAttention(1, kLength, at::kCPU, PrunedScore::kZero);
  options.shared_pattern = true;
  const Capture shared = Transition(options);
  EXPECT_EQ(shared.patterns[0], shared.patterns[1]);
  EXPECT_EQ(*second_.pattern(), shared.patterns[0]);
  EXPECT_NE(shared.patterns[0], apart.patterns[0]);
  EXPECT_NE(shared.patterns[0], apart.patterns[1]);
}

TEST_F(TwoMapsTest, GivenPatternsAreTakenInPlaceOfThoseOfTheMaps) {
  PhaseOptions options = Options();
  options.dense_step_limit = 2;
  options.patterns = {BlockPattern::FromBlocks(4, 16, std::vector<Block>{{0, 3}}).value(),
                      BlockPattern::FromBlocks(4, 16, std::vector<Block>{{3, 0}, {3, 1}}).value()};
  const Capture capture = Transition(options);
  EXPECT_EQ(capture.patterns, options.patterns);
  EXPECT_EQ(*first_.pattern(), options.patterns[0]);
  EXPECT_EQ(*second_.pattern(), options.patterns[1]);
  EXPECT_EQ(capture.pooled_maps.size(), 2u);
}

TEST_F(TwoMapsTest, ShuffledPatternsHaveAsManyBlocksElsewhere) {
  PhaseOptions options = Options();
  options.dense_step_limit = 2;
  options.generator.kind = PatternKind::kC;
  options.generator.density = 10.0 / 16;  // 6 blocks beside the diagonal
  const auto found = Transition(options).patterns;
  const auto shuffled = [&](uint64_t seed, bool shared) {
    first_ = SpionAttention(0, kLength, at::kCPU, PrunedScore::kZero);
    second_ = SpionAttention(1, kLength, at::kCPU, PrunedScore::kZero);
    options.shuffle_seed = seed;
    options.shared_pattern = shared;
    auto patterns = Transition(options).patterns;
    EXPECT_EQ(*second_.pattern(), patterns[1]);
    return patterns;
  };
  const auto patterns = shuffled(7, /*shared=*/false);
  for (size_t layer = 0; layer < 2; ++layer) {
    EXPECT_EQ(patterns[layer].kept_blocks(), found[layer].kept_blocks());
    EXPECT_NE(patterns[layer], found[layer]);
    Random random(DeriveSeed(7, layer));
    EXPECT_EQ(patterns[layer], ShuffledPattern(found[layer], random));
  }
  EXPECT_EQ(patterns, shuffled(7, false));
  EXPECT_NE(patterns, shuffled(8, false));
  const auto shared = shuffled(7, true);
  EXPECT_EQ(shared[0], shared[1]);
}

TEST(PhaseControllerDenseTest, AMethodWithoutSpionLayersHasASinglePhase) {
  PhaseController phases({}, Options());
  for (int64_t step = 1; step <= 10; ++step) {
    phases.BeforeForward(step);
    phases.TakeMaps(step);
    EXPECT_FALSE(phases.AfterStep(step)->has_value());
  }
  EXPECT_EQ(phases.phase(), Phase::kSingle);
  // Nor does it take up another's state.
  TrainingState single;
  PhaseController({}, Options()).SaveTo(single);
  single.PutValue("phases.phase", "dense");
  EXPECT_THAT(std::string(phases.RestoreFrom(single).message()),
              ::testing::HasSubstr("phases.phase is \"dense\""));
}

}  // namespace
}  // namespace spion
