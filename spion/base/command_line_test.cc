#include "spion/base/command_line.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Colour { kRed, kGreen };

class CommandLineTest : public ::testing::Test {
 protected:
  std::string out_;
  bool force_ = false;
  int64_t size_ = 0;
  std::optional<uint64_t> seed_;
  Colour colour_ = Colour::kRed;
  std::vector<Flag> flags_ = {
      {"out", "DIR", "a folder", SetText(out_)},
      {"size", "N", "a number", SetWhole(size_)},
      {"seed", "N", "another", SetWhole(seed_)},
      {"colour", "red|green", "a choice",
       SetOneOf<Colour>(colour_, {{"red", Colour::kRed}, {"green", Colour::kGreen}})},
      Switch("force", "a switch", force_)};

  std::string Error(const std::vector<std::string>& arguments) {
    return std::string(ParseArguments(arguments, flags_).status().message());
  }
};

TEST_F(CommandLineTest, TakesBothFormsAndLeavesTheRest) {
  EXPECT_THAT(
      ParseArguments({"a", "--out=x=y", "--size", "-7", "b", "--seed=3", "--colour=green"}, flags_)
          .value(),
      ElementsAre("a", "b"));
  EXPECT_EQ(out_, "x=y");
  EXPECT_EQ(size_, -7);
  EXPECT_EQ(seed_, 3u);
  EXPECT_EQ(colour_, Colour::kGreen);
  EXPECT_FALSE(force_);
}

TEST_F(CommandLineTest, TheLastOfTwoHolds) {
  EXPECT_THAT(ParseArguments({"--out=a", "--force", "--out=b", "--force=no"}, flags_).value(),
              IsEmpty());
  EXPECT_EQ(out_, "b");
  EXPECT_FALSE(force_);
}

TEST_F(CommandLineTest, ASwitchStandsAloneOrHasAValue) {
  for (const char* text : {"--force", "--force=true", "--force=yes", "--force=1", "--force=True"}) {
    force_ = false;
    EXPECT_TRUE(ParseArguments({text}, flags_).ok()) << text;
    EXPECT_TRUE(force_) << text;
  }
  for (const char* text : {"--noforce", "--force=false", "--force=no", "--force=0"}) {
    force_ = true;
    EXPECT_TRUE(ParseArguments({text}, flags_).ok()) << text;
    EXPECT_FALSE(force_) << text;
  }
}

TEST_F(CommandLineTest, ASwitchDoesNotTakeTheNextWord) {
  EXPECT_THAT(ParseArguments({"--force", "image"}, flags_).value(), ElementsAre("image"));
  EXPECT_TRUE(force_);
}

TEST_F(CommandLineTest, OtherProgramsFlagsAreLeft) {
  EXPECT_THAT(TakeFlags({"--benchmark_filter=x", "--force", "-v", "--noout", "--noforce=1"}, flags_)
                  .value(),
              ElementsAre("--benchmark_filter=x", "-v", "--noout", "--noforce=1"));
}

TEST_F(CommandLineTest, BadValuesNameWhatWasExpected) {
  EXPECT_EQ(Error({"--size=many"}), "--size=\"many\"; expected a whole number");
  EXPECT_EQ(Error({"--size=9223372036854775808"}),
            "--size=\"9223372036854775808\"; expected a whole number");
  EXPECT_EQ(Error({"--seed=-1"}), "--seed=\"-1\"; expected a whole number, 0 or more");
  EXPECT_EQ(Error({"--force=maybe"}), "--force=\"maybe\"; expected true or false");
  EXPECT_EQ(Error({"--colour=blue"}), "--colour=\"blue\"; expected one of red, green");
  EXPECT_EQ(Error({"--colour=gren"}),
            "--colour=\"gren\"; did you mean \"green\"? expected one of red, green");
  EXPECT_EQ(Error({"--out"}), "--out needs a value: --out=DIR");
}

TEST_F(CommandLineTest, UnknownArgumentsNameWhatMayHaveBeenMeant) {
  EXPECT_EQ(Error({"--outt=x"}),
            "unknown argument \"--outt=x\"; did you mean --out? --help lists the flags");
  EXPECT_EQ(Error({"-out=x"}),
            "unknown argument \"-out=x\"; did you mean --out? --help lists the flags");
  EXPECT_EQ(
      Error({"--verbose"}),
      "unknown argument \"--verbose\"; the flags are --out, --size, --seed, --colour, --force");
  EXPECT_EQ(UnknownArgument("false", flags_).message(),
            "unknown argument \"false\"; the value of a switch stands behind =, as in "
            "--name=false");
}

TEST_F(CommandLineTest, HelpIsAsked) {
  bool help = false;
  flags_.push_back(Switch("help", "this text", help));
  EXPECT_TRUE(ParseArguments({"-h"}, flags_).ok());
  EXPECT_TRUE(help);
}

TEST_F(CommandLineTest, HelpHasALineForEachFlag) {
  const std::string help = FlagsHelp(flags_);
  // Side by side, however long a flag is.
  EXPECT_THAT(help, HasSubstr("  --out=DIR             a folder\n"));
  EXPECT_THAT(help, HasSubstr("  --force[=true|false]  a switch\n"));
}

}  // namespace
}  // namespace spion
