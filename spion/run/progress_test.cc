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

TEST(ProgressTest, AnEvaluationThatTakesLongIsCountedOnATerminal) {
  for (const bool is_terminal : {true, false}) {
    absl::Time now;
    std::ostringstream out;
    Progress progress(out, is_terminal, [&] { return now; });
    progress.Say("before");
    progress.Evaluated("testing", 0, 2000);
    now += absl::Milliseconds(999);
    progress.Evaluated("testing", 16, 2000);
    EXPECT_EQ(out.str(), "before\n");
    now += absl::Milliseconds(1);
    progress.Evaluated("testing", 32, 2000);
    EXPECT_EQ(out.str(), is_terminal ? "before\n\r\x1b[Ktesting: 32 of 2000 examples" : "before\n");
    progress.Evaluated("testing", 0, 2000);  // the next one
    EXPECT_THAT(out.str(), ::testing::Not(::testing::HasSubstr(" 0 of")));
  }
}

TEST(ProgressTest, TheCountGoesAndTheStepStays) {
  std::ostringstream out;
  absl::Time now;
  Progress progress(out, /*is_terminal=*/true, [&] { return now; });
  progress.Step(kReport);
  progress.Evaluated("dev", 0, 256);
  now += absl::Seconds(2);
  progress.Evaluated("dev", 16, 256);
  progress.Say("a message");
  EXPECT_THAT(out.str(),
              ::testing::EndsWith("left\n\r\x1b[Kdev: 16 of 256 examples\r\x1b[Ka message\n"));
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
