#include "spion/run/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace spion {
namespace {

constexpr StepReport kReport{.step = 120,
                             .steps = 4000,
                             .phase = Phase::kSparse,
                             .loss = 1.9321,
                             .accuracy = 0.281,
                             .steps_per_second = 3.24,
                             .seconds_left = 87};

TEST(ProgressTest, SaysWhatAUserWantsToKnow) {
  EXPECT_EQ(FormatStep(kReport),
            "step  120/4000  sparse  loss 1.932  accuracy 28.1 %  3.2 steps/s  1:27 left");
}

TEST(ProgressTest, ASinglePhaseNeedsNoName) {
  StepReport report = kReport;
  report.phase = Phase::kSingle;
  EXPECT_EQ(FormatStep(report),
            "step  120/4000  loss 1.932  accuracy 28.1 %  3.2 steps/s  1:27 left");
  EXPECT_EQ(PhaseText(Phase::kSingle, ", "), "");
  EXPECT_EQ(PhaseText(Phase::kSparse, ", "), "sparse phase, ");
}

TEST(ProgressTest, ATestIsCountedOnATerminal) {
  std::ostringstream terminal, file;
  Progress(terminal, /*is_terminal=*/true).Tested(32, 2000);
  Progress(file, /*is_terminal=*/false).Tested(32, 2000);
  EXPECT_THAT(terminal.str(), ::testing::HasSubstr("testing: 32 of 2000 examples"));
  EXPECT_EQ(file.str(), "");
}

TEST(ProgressTest, PlainLinesWhenNotATerminal) {
  std::ostringstream out;
  Progress(out, /*is_terminal=*/false).Step(kReport);
  EXPECT_EQ(out.str(), FormatStep(kReport) + "\n");
}

TEST(ProgressTest, OneLineThatRenewsItselfOnATerminal) {
  std::ostringstream out;
  {
    Progress progress(out, /*is_terminal=*/true);
    progress.Step(kReport);
    EXPECT_THAT(out.str(), ::testing::Not(::testing::HasSubstr("\n")));
    progress.Say("a message");
    EXPECT_THAT(out.str(), ::testing::EndsWith("\na message\n"));
    progress.Step(kReport);
  }
  EXPECT_THAT(out.str(), ::testing::EndsWith("left\n"));
}

TEST(ProgressTest, Durations) {
  EXPECT_EQ(FormatDuration(7.4), "0:07");
  EXPECT_EQ(FormatDuration(754), "12:34");
  EXPECT_EQ(FormatDuration(3723), "1:02:03");
  EXPECT_EQ(FormatDuration(-1), "0:00");
}

}  // namespace
}  // namespace spion
