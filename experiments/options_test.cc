#include "experiments/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "spion/train/hyper_parameters.h"

namespace spion {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

const KnownNames kKnown = {.tasks = {"image", "listops"}, .methods = {"c", "cf", "dense"}};

absl::StatusOr<Options> ParseAlone(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "lra");
  std::vector<char*> pointers;
  pointers.reserve(arguments.size());
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  return ParseOptions(static_cast<int>(pointers.size()), pointers.data(), kKnown);
}

// As an experiment target does.
absl::StatusOr<Options> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--task=image", "--method=cf"});
  return ParseAlone(std::move(arguments));
}

std::string Error(std::vector<std::string> arguments) {
  return std::string(Parse(std::move(arguments)).status().message());
}

TEST(OptionsTest, Defaults) {
  const Options options = Parse({}).value();
  EXPECT_EQ(options.task, "image");
  EXPECT_EQ(options.method, "cf");
  EXPECT_EQ(options.mode, Mode::kTrain);
  EXPECT_EQ(options.preset, PresetChoice::kAuto);
  EXPECT_EQ(options.seed, 1001u);
  EXPECT_TRUE(options.hyper_parameters.empty());
}

TEST(OptionsTest, TakesBothFormsOfAValueAndTheLastOfTwo) {
  const Options options = Parse({"--steps", "7", "--seed=1", "--seed=2", "--preset=paper"}).value();
  EXPECT_THAT(options.hyper_parameters, ElementsAre(Pair("steps", "7")));
  EXPECT_EQ(options.seed, 2u);
  EXPECT_EQ(options.preset, PresetChoice::kPaper);
}

TEST(OptionsTest, RelativePathsAreTheUsers) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/user/project", 1);
  const Options options = Parse({"--data_dir=../data", "--out_dir=/results"}).value();
  EXPECT_EQ(options.data_dir, "/home/user/data");
  EXPECT_EQ(options.out_dir, "/results");
  unsetenv("BUILD_WORKING_DIRECTORY");
}

TEST(OptionsTest, UnknownArgumentsNameTheValidOnes) {
  EXPECT_THAT(Error({"--epochs=3"}),
              HasSubstr("unknown argument \"--epochs=3\"; the flags are --mode"));
  EXPECT_THAT(Error({"--step=3"}), HasSubstr("did you mean --steps?"));
  EXPECT_THAT(Error({"image"}), HasSubstr("unknown argument \"image\""));
}

TEST(OptionsTest, BadValuesNameTheValidOnes) {
  EXPECT_EQ(Error({"--mode=test"}), "--mode=\"test\"; expected one of train, eval, manifest");
  EXPECT_EQ(Error({"--preset=fast"}), "--preset=\"fast\"; expected one of auto, quick, paper");
  EXPECT_EQ(Error({"--device=gpu"}), "--device=\"gpu\"; expected one of auto, cpu, cuda");
  EXPECT_EQ(Error({"--precision=half"}),
            "--precision=\"half\"; expected one of auto, float32, tf32, bfloat16");
  for (const char* steps : {"0:3", "4:3", "5", "1:x", ":"}) {
    EXPECT_THAT(Error({"--trace=t", "--trace_steps", steps}),
                HasSubstr("expected FIRST:LAST, counted from 1"));
  }
  EXPECT_EQ(Error({"--steps=0"}), "--steps=\"0\"; expected a whole number from 1 to 2147483647");
  EXPECT_EQ(Error({"--density=2"}), "--density=\"2\"; expected a number above 0 and not above 1");
  EXPECT_EQ(Error({"--batch_size=3.5"}),
            "--batch_size=\"3.5\"; expected a whole number from 1 to 2147483647");
  EXPECT_THAT(Error({"--seed=-1"}), HasSubstr("--seed=\"-1\"; expected a whole number"));
  EXPECT_EQ(Error({"--data_dir="}), "--data_dir=\"\"; expected a path");
  EXPECT_EQ(Error({"--steps"}), "--steps needs a value: --steps=N");
}

TEST(OptionsTest, RefusesTruncatedDataOnlyIfAskedTo) {
  EXPECT_FALSE(Parse({})->refuse_truncated);
  EXPECT_TRUE(Parse({"--refuse_truncated=true"})->refuse_truncated);
  EXPECT_THAT(Error({"--refuse_truncated=2"}), HasSubstr("expected true or false"));
}

TEST(OptionsTest, CheckpointAndModeGoTogether) {
  EXPECT_THAT(Error({"--mode=eval"}), HasSubstr("needs --checkpoint=FILE"));
  EXPECT_THAT(Error({"--checkpoint=x"}), HasSubstr("goes with --mode=eval"));
  EXPECT_THAT(Error({"--mode=manifest", "--checkpoint=x"}), HasSubstr("goes with --mode=eval"));
  EXPECT_TRUE(Parse({"--mode=eval", "--checkpoint=x"}).ok());
}

TEST(OptionsTest, TracesTheStepsThatTheUserNames) {
  const Options options = Parse({"--trace=/x/t.json", "--trace_steps=100:131"}).value();
  EXPECT_EQ(options.trace, "/x/t.json");
  EXPECT_EQ(options.trace_steps->first, 100);
  EXPECT_EQ(options.trace_steps->last, 131);
  EXPECT_THAT(Error({"--trace_steps=1:2"}), HasSubstr("goes with --trace=FILE"));
  EXPECT_THAT(Error({"--mode=eval", "--checkpoint=x", "--trace=t"}), HasSubstr("--mode=train"));
}

TEST(OptionsTest, SwitchesAreWrittenOneWay) {
  EXPECT_TRUE(Parse({}).value().cuda_graph);
  for (const char* text : {"--cuda_graph=false", "--cuda_graph=no", "--nocuda_graph"}) {
    EXPECT_FALSE(Parse({text}).value().cuda_graph) << text;
  }
  for (const char* text : {"--shared_pattern", "--shared_pattern=true", "--shared_pattern=yes"}) {
    const Options options = Parse({text}).value();
    ASSERT_EQ(options.hyper_parameters.size(), 1u) << text;
    HyperParameters h;
    EXPECT_TRUE(SetHyperParameter(h, "shared_pattern", options.hyper_parameters[0].second).ok());
    EXPECT_TRUE(h.shared_pattern) << text;
  }
  EXPECT_EQ(Error({"--cuda_graph=2"}), "--cuda_graph=\"2\"; expected true or false");
  EXPECT_EQ(Error({"--shared_pattern=2"}), "--shared_pattern=\"2\"; expected true or false");
}

TEST(OptionsTest, TaskAndMethodAreNeededAndKnown) {
  const auto error = [](std::vector<std::string> arguments) {
    return std::string(ParseAlone(std::move(arguments)).status().message());
  };
  EXPECT_EQ(error({}),
            "missing: --task (one of image, listops) and --method (one of c, cf, dense); a target "
            "such as //experiments:lra_image_cf gives both");
  EXPECT_THAT(error({"--method=cf"}), HasSubstr("missing: --task (one of image, listops); a"));
  EXPECT_EQ(error({"--task=imgae", "--method=cf"}),
            "--task=\"imgae\"; did you mean \"image\"? expected one of image, listops");
  EXPECT_EQ(error({"--task=image", "--method=sparse"}),
            "--method=\"sparse\"; expected one of c, cf, dense");
}

TEST(OptionsTest, TheVersionNeedsNoTask) {
  EXPECT_TRUE(ParseAlone({"--version"})->version);
  EXPECT_FALSE(Parse({})->version);
}

TEST(OptionsTest, HelpNamesEveryFlag) {
  const std::string help =
      HelpText(ParseAlone({"--task=image", "--method=c", "--help"}).value(), kKnown);
  for (const char* flag : {"--mode", "--preset", "--data_dir", "--out_dir", "--steps",
                           "--batch_size", "--seed", "--device", "--precision", "--trace",
                           "--trace_steps", "--checkpoint", "--density", "--excluded_pruned"}) {
    EXPECT_THAT(help, HasSubstr(flag));
  }
  EXPECT_THAT(help, HasSubstr("//experiments:lra_image_c "));
  EXPECT_THAT(help, HasSubstr(std::to_string(kDefaultTraceSteps.first) + ":" +
                              std::to_string(kDefaultTraceSteps.last)));
}

TEST(OptionsTest, HelpOfTheProgramByItselfSaysWhatItNeeds) {
  for (const char* help_flag : {"--help", "-h"}) {
    const std::string help = HelpText(ParseAlone({help_flag}).value(), kKnown);
    EXPECT_THAT(help, HasSubstr("lra --task=TASK --method=METHOD [FLAG ...]"));
    EXPECT_THAT(help, ContainsRegex("--task=TASK +one of image, listops\n"));
    EXPECT_THAT(help, ContainsRegex("--method=METHOD +one of c, cf, dense\n"));
    EXPECT_THAT(help, Not(HasSubstr("\"\"")));
    EXPECT_THAT(help, Not(HasSubstr("lra__")));
  }
}

TEST(OptionsTest, HelpInABundleNamesTheBundlesCommand) {
  setenv("SPION_STARTED_BY", "bundle/run lra", /*overwrite=*/1);
  const std::string of_any = HelpText(ParseAlone({"--help"}).value(), kKnown);
  const std::string of_one =
      HelpText(ParseAlone({"--task=image", "--method=c", "--help"}).value(), kKnown);
  unsetenv("SPION_STARTED_BY");
  EXPECT_THAT(of_any, HasSubstr("\n  bundle/run lra --task=TASK --method=METHOD [FLAG ...]\n\n"));
  EXPECT_THAT(of_one, HasSubstr("\n  bundle/run lra --task=image --method=c [FLAG ...]\n\n"));
  for (const std::string& help : {of_any, of_one}) EXPECT_THAT(help, Not(HasSubstr("bazel")));
}

}  // namespace
}  // namespace spion
