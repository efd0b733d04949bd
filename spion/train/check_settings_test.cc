#include "spion/train/check_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kHuge = int64_t{1} << 40;

SettingsContext Context(std::optional<PatternKind> kind, bool has_padding = true,
                        std::vector<std::string> given = {}) {
  return {
      .pattern_kind = kind,
      .shape = {.sequence_length = 512, .vocabulary = 16, .classes = 2, .has_padding = has_padding},
      .train_examples = 1000,
      .given = std::move(given)};
}

HyperParameters Good() {
  HyperParameters h = HyperParametersFor("text", Preset::kQuick).value();
  h.sequence_length = 0;
  return h;
}

using Change = void (*)(HyperParameters&);

std::string Error(Change change, const SettingsContext& context) {
  HyperParameters h = Good();
  change(h);
  return std::string(CheckSettings(h, context).message());
}

TEST(CheckSettingsTest, TakesEveryPresetOfEveryTask) {
  struct Task {
    const char* name;
    int length;
    bool has_padding;
  };
  for (const auto& [name, length, has_padding] : {Task{"image", 1024, false},
                                                  {"listops", 2048, true},
                                                  {"retrieval", 4096, true},
                                                  {"text", 4096, true},
                                                  {"pathfinder", 1024, false}}) {
    for (const Preset preset : {Preset::kQuick, Preset::kPaper}) {
      for (const std::optional<PatternKind> kind :
           {std::optional<PatternKind>(), std::optional(PatternKind::kC),
            std::optional(PatternKind::kF), std::optional(PatternKind::kCF)}) {
        SettingsContext context = Context(kind, has_padding);
        context.shape.sequence_length = length;
        const HyperParameters h = HyperParametersFor(name, preset).value();
        EXPECT_TRUE(CheckSettings(h, context).ok()) << name << CheckSettings(h, context);
        EXPECT_THAT(SettingsNotes(h, context), IsEmpty()) << name;
      }
    }
  }
}

// Every setting, below, above and beside its range.
TEST(CheckSettingsTest, NamesTheSettingItsValueAndWhatWasExpected) {
  struct Case {
    const char* error;
    Change change;
  };
  const Case cases[] = {
      {"layers=0; expected a whole number from 1 to 1024", [](auto& h) { h.layers = 0; }},
      {"layers=1099511627776; expected", [](auto& h) { h.layers = kHuge; }},
      {"--sequence_length=-1; expected a whole number from 0 to 2147483647",
       [](auto& h) { h.sequence_length = -1; }},
      {"--sequence_length=1099511627776; expected", [](auto& h) { h.sequence_length = kHuge; }},
      {"--batch_size=0; expected", [](auto& h) { h.batch_size = 0; }},
      {"--batch_size=1001; expected a whole number from 1 to 1000, the examples that there are to",
       [](auto& h) { h.batch_size = 1001; }},
      {"--batch_size=1099511627776; expected", [](auto& h) { h.batch_size = kHuge; }},
      {"--learning_rate=0; expected a number above 0", [](auto& h) { h.learning_rate = 0; }},
      {"--learning_rate=nan; expected", [](auto& h) { h.learning_rate = kNan; }},
      {"--learning_rate=inf; expected", [](auto& h) { h.learning_rate = kInfinity; }},
      {"--warmup_steps=-1; expected", [](auto& h) { h.warmup_steps = -1; }},
      {"--steps=0; expected", [](auto& h) { h.steps = 0; }},
      {"--steps=1099511627776; expected a whole number from 1 to 2147483647",
       [](auto& h) { h.steps = kHuge; }},
      {"beta1=1; expected a number from 0 on and below 1", [](auto& h) { h.beta1 = 1; }},
      {"beta2=nan; expected", [](auto& h) { h.beta2 = kNan; }},
      {"epsilon=0; expected", [](auto& h) { h.epsilon = 0; }},
      {"--weight_decay=-0.1; expected a number from 0 on and below 1",
       [](auto& h) { h.weight_decay = -0.1; }},
      {"--dropout=1; expected a number from 0 on and below 1", [](auto& h) { h.dropout = 1; }},
      {"--dropout=1; expected", [](auto& h) { h.dropout = 1 - 1e-9; }},
      {"gradient_limit=inf; expected a finite number",
       [](auto& h) { h.gradient_limit = kInfinity; }},
      {"gradient_limit=0; expected", [](auto& h) { h.gradient_limit = 0; }},
      {"--capture_interval=0; expected", [](auto& h) { h.capture_interval = 0; }},
      {"--block_size=7; expected a multiple of 16 from 16 to 128 that divides the length, 512: 16, "
       "32, 64, 128",
       [](auto& h) { h.block_size = 7; }},
      {"--block_size=0; expected", [](auto& h) { h.block_size = 0; }},
      {"--block_size=48; expected", [](auto& h) { h.block_size = 48; }},    // does not divide
      {"--block_size=256; expected", [](auto& h) { h.block_size = 256; }},  // no kernel takes it
      {"--block_size=8; expected", [](auto& h) { h.block_size = 8; }},
      {"--block_size=16; expected a multiple of 16 from 16 to 128 that divides the length, 100: "
       "there is",
       [](auto& h) { h.sequence_length = 100; }},
      {"--threshold=1.5; expected", [](auto& h) { h.threshold = 1.5; }},
      {"--threshold=nan; expected", [](auto& h) { h.threshold = kNan; }},
      {"--transition_limit_percent=-1; expected a whole number from 0 to 100",
       [](auto& h) { h.transition_limit_percent = -1; }},
      {"--transition_limit_percent=101; expected",
       [](auto& h) { h.transition_limit_percent = 101; }},
      {"--dense_step_limit=19; expected a whole number from 20 to 2147483647, or 0",
       [](auto& h) { h.dense_step_limit = 19; }},
      {"--dense_step_limit=-1; expected", [](auto& h) { h.dense_step_limit = -1; }},
      {"--evaluation_interval=0; expected", [](auto& h) { h.evaluation_interval = 0; }},
      {"--dev_examples=-1; expected", [](auto& h) { h.dev_examples = -1; }},
      {"--test_examples=1099511627776; expected", [](auto& h) { h.test_examples = kHuge; }},
  };
  for (const auto& [error, change] : cases) {
    EXPECT_THAT(Error(change, Context(PatternKind::kCF)), ::testing::StartsWith(error));
  }
  EXPECT_THAT(Error([](auto& h) { h.density = 0; }, Context(PatternKind::kC)),
              HasSubstr("--density=0; expected"));
}

// The most and the least that is good.
TEST(CheckSettingsTest, SaysWhoseTheValueIs) {
  const auto limit_below_interval = [](auto& h) { h.dense_step_limit = 19; };
  EXPECT_THAT(Error(limit_below_interval, Context(PatternKind::kCF)),
              ::testing::EndsWith("; the value is the preset's"));
  EXPECT_THAT(Error(limit_below_interval, Context(PatternKind::kCF, true, {"dense_step_limit"})),
              ::testing::Not(HasSubstr("preset")));
}

TEST(CheckSettingsTest, TakesTheEndsOfEveryRange) {
  const Change changes[] = {
      [](auto& h) { h.batch_size = 1; },
      [](auto& h) { h.batch_size = 1000; },
      [](auto& h) { h.sequence_length = 512; },
      [](auto& h) { h.sequence_length = 16; },
      [](auto& h) { h.steps = kLargestSetting; },
      [](auto& h) { h.block_size = 128; },
      [](auto& h) { h.learning_rate = 1; },
      [](auto& h) { h.warmup_steps = 0; },
      [](auto& h) { h.dense_step_limit = 0; },
      [](auto& h) { h.dense_step_limit = h.capture_interval; },
      [](auto& h) { h.transition_limit_percent = 0; },
      [](auto& h) { h.transition_limit_percent = 100; },
      [](auto& h) { h.threshold = 1; },
  };
  for (const Change change : changes) EXPECT_EQ(Error(change, Context(PatternKind::kCF)), "");
}

TEST(CheckSettingsTest, LooksAtWhatHasAPartOnly) {
  const Change bad_patterns = [](HyperParameters& h) {
    h.block_size = 7;
    h.density = h.threshold = kNan;
    h.capture_interval = 0;
    h.dense_step_limit = -1;
  };
  EXPECT_EQ(Error(bad_patterns, Context(std::nullopt)), "");
  EXPECT_EQ(Error([](auto& h) { h.threshold = kNan; }, Context(PatternKind::kC)), "");
  EXPECT_EQ(Error([](auto& h) { h.density = kNan; }, Context(PatternKind::kF)), "");
  EXPECT_EQ(Error([](auto& h) { h.sequence_length = kHuge; }, Context(PatternKind::kCF, false)),
            "");
  SettingsContext evaluation = Context(PatternKind::kCF);
  evaluation.trains = false;
  EXPECT_EQ(Error(bad_patterns, evaluation), "");
  EXPECT_EQ(Error([](auto& h) { h.batch_size = 1001; }, evaluation), "");
  EXPECT_THAT(Error([](auto& h) { h.batch_size = 0; }, evaluation), HasSubstr("--batch_size=0"));
}

TEST(CheckSettingsTest, RanksShareOutTheBatchEvenly) {
  SettingsContext context = Context(PatternKind::kCF);
  context.ranks = 3;
  EXPECT_EQ(Error([](auto& h) { h.batch_size = 12; }, context), "");
  EXPECT_THAT(Error([](auto& h) { h.batch_size = 8; }, context),
              HasSubstr("--batch_size=8; expected a multiple of 3"));
}

TEST(CheckSettingsTest, TheSharedBatchIsCheckedWithoutData) {
  SettingsContext context;  // no shape, no examples
  context.ranks = 3;
  context.given = {"batch_size"};
  HyperParameters h = Good();
  h.batch_size = 8;
  EXPECT_EQ(CheckSharedBatch(h, context).message(),
            "--batch_size=8; expected a multiple of 3, as so many ranks share it out evenly; "
            "another number of ranks does, too");
  h.batch_size = 12;
  EXPECT_TRUE(CheckSharedBatch(h, context).ok());
  h.batch_size = 8;
  context.trains = false;
  EXPECT_TRUE(CheckSharedBatch(h, context).ok());
}

// A GPU draws the dropout of two tokens at once, which may not be those of two ranks.
TEST(CheckSettingsTest, RanksOnGpusShareOutAnEvenNumberOfTokens) {
  SettingsContext context = Context(std::nullopt);
  context.ranks = 2;
  context.is_on_gpu = true;
  const auto odd = [](HyperParameters& h) {
    h.batch_size = 6;
    h.sequence_length = 33;
  };
  EXPECT_THAT(Error(odd, context),
              HasSubstr("--batch_size=6; expected a multiple of 4, as the length is odd, 33"));
  EXPECT_EQ(Error([](auto& h) { h.batch_size = 6, h.sequence_length = 32; }, context), "");
  EXPECT_EQ(Error([](auto& h) { h.batch_size = 8, h.sequence_length = 33; }, context), "");
  context.is_on_gpu = false;
  EXPECT_EQ(Error(odd, context), "");
  context.is_on_gpu = true;
  context.ranks = 1;
  EXPECT_EQ(Error(odd, context), "");
}

TEST(CheckSettingsTest, AGpuTakesFewerBlockSizes) {
  SettingsContext context = Context(PatternKind::kCF);
  const auto blocks_of_48 = [](HyperParameters& h) {
    h.sequence_length = 480;
    h.block_size = 48;
  };
  EXPECT_EQ(Error(blocks_of_48, context), "");
  context.is_on_gpu = true;
  EXPECT_EQ(Error(blocks_of_48, context),
            "--block_size=48; expected 16, 32, 64 or 128, which a GPU takes, that divides the "
            "length, 480: 16, 32; the value is the preset's");
  EXPECT_EQ(Error([](auto& h) { h.sequence_length = 480, h.block_size = 32; }, context), "");
}

TEST(SettingsNotesTest, NamesFlagsWithoutEffect) {
  const std::vector<std::string> given = {"density",           "threshold",       "block_size",
                                          "sequence_length",   "excluded_pruned", "steps",
                                          "continued_schedule"};
  const HyperParameters h = Good();
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kC, true, given)),
              ElementsAre("note: without effect here: --threshold"));
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kF, true, given)),
              ElementsAre("note: without effect here: --density"));
  EXPECT_THAT(SettingsNotes(h, Context(std::nullopt, false, given)),
              ElementsAre("note: without effect here: --sequence_length, --block_size, --density, "
                          "--threshold, --excluded_pruned, --continued_schedule"));
  SettingsContext with_patterns = Context(
      PatternKind::kCF, true, {"threshold", "shared_pattern", "shuffled_pattern", "patterns"});
  with_patterns.has_given_patterns = true;
  EXPECT_THAT(SettingsNotes(h, with_patterns),
              ElementsAre("note: without effect here: --threshold, --shared_pattern"));
  EXPECT_THAT(SettingsNotes(h, Context(std::nullopt, true, {"patterns"})),
              ElementsAre("note: without effect here: --patterns"));
  SettingsContext evaluation =
      Context(PatternKind::kCF, true, {"batch_size", "steps", "test_examples"});
  evaluation.trains = false;
  EXPECT_THAT(SettingsNotes(h, evaluation), ElementsAre("note: without effect here: --steps"));
}

TEST(SettingsNotesTest, WithoutPatternsThereAreNoMapsToKeep) {
  const HyperParameters h = Good();
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF, true, {"keep_maps"})), IsEmpty());
  EXPECT_THAT(SettingsNotes(h, Context(std::nullopt, true, {"steps", "keep_maps"})),
              ElementsAre("note: without effect here: --keep_maps"));
}

TEST(SettingsNotesTest, EveryFlagHasARule) {
  std::vector<std::string> given;
  for (const HyperParameterFlag& flag : HyperParameterFlags()) given.emplace_back(flag.name);
  SettingsContext evaluation = Context(std::nullopt, /*has_padding=*/false, given);
  evaluation.trains = false;
  const std::vector<std::string> notes = SettingsNotes(Good(), evaluation);
  ASSERT_EQ(notes.size(), 1);
  for (const std::string& flag : given) {
    const bool has_part = flag == "batch_size" || flag == "test_examples";
    EXPECT_EQ(notes[0].find("--" + flag) == std::string::npos, has_part) << flag;
  }
}

TEST(SettingsNotesTest, SaysThatALengthCutsNothing) {
  HyperParameters h = Good();
  h.sequence_length = 513;
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF)),
              ElementsAre("note: --sequence_length=513 cuts nothing: the task's sequences have at "
                          "most 512"));
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF, false)), IsEmpty());
}

TEST(SettingsNotesTest, SaysWhatAShortTrainingLeavesOut) {
  HyperParameters h = Good();
  h.steps = 5;
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF)),
              ElementsAre(HasSubstr("learning rate"), HasSubstr("no sparse phase")));
  EXPECT_THAT(SettingsNotes(h, Context(std::nullopt)), ElementsAre(HasSubstr("learning rate")));
  // What comes with the last step comes.
  h.warmup_steps = h.steps;
  h.capture_interval = h.steps;
  h.dense_step_limit = h.steps;
  EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF)), IsEmpty());
}

TEST(SettingsNotesTest, SaysWhenTheDensePhaseCannotEnd) {
  HyperParameters h = Good();
  h.warmup_steps = 1;
  h.capture_interval = 10;
  for (const auto& [limit, first] : {std::pair(0, 30), {25, 20}, {45, 30}}) {
    h.dense_step_limit = limit;
    h.steps = first - 1;
    EXPECT_THAT(
        SettingsNotes(h, Context(PatternKind::kCF)),
        ElementsAre(absl::StrCat("note: there is no sparse phase: training ends at step ",
                                 first - 1, ", before the dense phase can end at step ", first)));
    h.steps = first;
    EXPECT_THAT(SettingsNotes(h, Context(PatternKind::kCF)), IsEmpty());
  }
}

}  // namespace
}  // namespace spion
