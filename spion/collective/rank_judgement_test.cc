#include "spion/collective/rank_judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The judgement of rank 1 of three, at times in seconds, which is asked every half a second.
class RankJudgementTest : public testing::Test {
 protected:
  RankJudgementTest() {
    for (int rank = 0; rank < 3; ++rank) beats_[rank].host = "host" + std::to_string(rank);
  }

  // Until `end` the store answers, and these ranks are heard of; returns the first verdict.
  std::string Until(double end, const std::vector<int>& heard, bool store_answers = true) {
    for (; now_ < end; now_ += 0.5) {
      for (const int rank : heard) ++beats_[rank].count;
      if (store_answers) judgement_.Hear(beats_, At(now_));
      std::string verdict = judgement_.Verdict(beats_[1], At(now_));
      if (!verdict.empty()) return verdict;
    }
    return "";
  }

  static RankJudgement::Time At(double time) {
    return RankJudgement::Time(milliseconds(static_cast<int64_t>(1e3 * time)));
  }

  double now_ = 100;
  std::vector<RankBeat> beats_{3};
  RankJudgement judgement_{
      1, 3, {.beat = seconds(1), .patience = seconds(20), .store_owner = "the launcher"}, At(100)};
};

TEST_F(RankJudgementTest, WhoIsHeardOfIsNotJudged) { EXPECT_EQ(Until(200, {0, 1, 2}), ""); }

TEST_F(RankJudgementTest, WhoFallsSilentIsLostAfterPatience) {
  beats_[2].step = 7;
  beats_[0].state = "a state of step 5";
  EXPECT_EQ(Until(105, {0, 1, 2}), "");  // for the last time at 104.5
  EXPECT_EQ(Until(125, {0, 1}), "");
  EXPECT_EQ(Until(126, {0, 1}),
            "rank 2 of 3 on host2 is lost: nothing was heard of it for 20 s; the last step it told "
            "of is 7; the same command with --resume goes on from a state of step 5");
  EXPECT_EQ(now_, 125);
}

TEST_F(RankJudgementTest, WhoIsDoneNeedNotBeHeard) {
  beats_[2].is_done = true;
  EXPECT_EQ(Until(200, {0, 1}), "");
  EXPECT_FALSE(judgement_.OthersAreDone());
  beats_[0].is_done = true;
  judgement_.Hear(beats_, At(200));
  EXPECT_TRUE(judgement_.OthersAreDone());
}

// This rank may be about to fail for the same reason.
TEST_F(RankJudgementTest, WhoFailsIsNamedAfterTwoBeats) {
  beats_[2].failure = "no space left";
  beats_[2].step = 12;
  EXPECT_EQ(Until(102, {0, 1, 2}), "");
  EXPECT_EQ(Until(103, {0, 1, 2}),
            "rank 2 of 3 on host2 failed after step 12: no space left; if a state was saved, the "
            "same command with --resume goes on from it");
  EXPECT_EQ(now_, 102);
}

TEST_F(RankJudgementTest, WhoFailsOrLeavesJudgesNobody) {
  for (const auto make : {+[](RankBeat& beat) { beat.failure = "no space left"; },
                          +[](RankBeat& beat) { beat = {.is_done = true}; }}) {
    make(beats_[1]);
    EXPECT_EQ(Until(now_ + 100, {}), "");
  }
}

TEST_F(RankJudgementTest, WhatAnotherJudgesIsSaidBeforeAllElse) {
  beats_[0].failure = "no space left";
  beats_[2].verdict = "rank 0 of 3 is lost";
  EXPECT_EQ(Until(101, {0, 1, 2}), "rank 0 of 3 is lost");
}

TEST_F(RankJudgementTest, WhileTheStoreDoesNotAnswerNoRankIsBlamed) {
  beats_[0].step = 3;
  EXPECT_EQ(Until(101, {0, 1, 2}), "");    // for the last time at 100.5
  EXPECT_EQ(Until(102, {0, 1}), "");       // rank 2 falls silent a second before the store
  EXPECT_EQ(Until(121.6, {}, false), "");  // at 121.5 the store
  EXPECT_EQ(Until(123, {}, false),
            "the launcher on host0 is lost: its store does not answer; the last step that rank 0 "
            "told of is 3; if a state was saved, the same command with --resume goes on from it");
  EXPECT_EQ(now_, 122);
}

TEST_F(RankJudgementTest, AStoreThatIsGoneEndsTheRunAtOnce) {
  judgement_.LoseStore();
  EXPECT_THAT(judgement_.Verdict(beats_[1], At(100)),
              AllOf(StartsWith("the launcher is lost: its store is gone"),  // no host is known yet
                    HasSubstr("; if a state was saved, the same command")));
}

TEST_F(RankJudgementTest, AProcessThatWasStoppedForgivesTheOthersTheirSilence) {
  EXPECT_EQ(Until(101, {0, 1, 2}), "");
  now_ += 3600;
  const double end = now_ + 20;
  EXPECT_EQ(Until(end, {0, 1}), "");
  EXPECT_THAT(Until(end + 2, {0, 1}), HasSubstr("rank 2 of 3 on host2 is lost"));
}

// Who is asked as seldom as every five seconds was not stopped.
TEST_F(RankJudgementTest, AShortPauseIsForgivenToNobody) {
  EXPECT_EQ(Until(101, {0, 1, 2}), "");
  std::string verdict;
  for (; verdict.empty() && now_ < 200; now_ += 4.5) verdict = Until(now_ + 0.5, {0, 1});
  EXPECT_THAT(verdict, HasSubstr("rank 2 of 3 on host2 is lost"));
}

TEST_F(RankJudgementTest, RankZeroKnowsItsOwnStateBeforeItIsHeard) {
  const RankJudgement first(0, 2, {}, At(0));
  EXPECT_EQ(first.LastState({.state = "a state"}),
            "; the same command with --resume goes on from a state");
  EXPECT_EQ(judgement_.LastState({.state = "a state"}),
            "; if a state was saved, the same command with --resume goes on from it");
}

}  // namespace
}  // namespace spion
