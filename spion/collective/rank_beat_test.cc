#include "spion/collective/rank_beat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <torch/csrc/distributed/c10d/HashStore.hpp>

namespace spion {
namespace {

TEST(RankBeatTest, EachRankHasToldWhatItToldLast) {
  c10d::HashStore store;
  EXPECT_FALSE(HasTold(1, store));
  TellBeat({.count = 1, .host = "gpu02"}, 1, store);
  TellBeat({.host = "gpu01"}, 0, store);
  TellBeat({.count = 1LL << 40,
            .step = 12,
            .host = "gpu02",
            .state = "a state \"of\" step 5",
            .failure = "no space\nleft",
            .verdict = "rank 2 is lost",
            .is_done = true},
           1, store);
  EXPECT_TRUE(HasTold(1, store));
  EXPECT_FALSE(HasTold(2, store));
  const std::vector<RankBeat> all = BeatsOf(2, store);
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].host, "gpu01");
  EXPECT_EQ(all[0].count, 0);
  EXPECT_FALSE(all[0].is_done);
  for (const RankBeat& beat : {all[1], BeatOf(1, store)}) {
    EXPECT_EQ(beat.count, 1LL << 40);
    EXPECT_EQ(beat.step, 12);
    EXPECT_EQ(beat.host, "gpu02");
    EXPECT_EQ(beat.state, "a state \"of\" step 5");
    EXPECT_EQ(beat.failure, "no space\nleft");
    EXPECT_EQ(beat.verdict, "rank 2 is lost");
    EXPECT_TRUE(beat.is_done);
  }
}

// As in the path of a file that a system of another encoding has.
TEST(RankBeatTest, WritesBytesThatAreNotUtf8) {
  c10d::HashStore store;
  TellBeat({.failure = "caf\xe9 is full"}, 0, store);
  EXPECT_EQ(BeatOf(0, store).failure, "caf%E9 is full");
}

TEST(RankBeatTest, WhatIsNoBeatIsAnError) {
  c10d::HashStore store;
  for (const char* text : {"", "{}", "[1]", "{\"count\": \"one\"}"}) {
    TellBeat({}, 0, store);
    static_cast<c10d::Store&>(store).set("beat/0", std::string(text));
    EXPECT_ANY_THROW(BeatOf(0, store)) << text;
    EXPECT_ANY_THROW(BeatsOf(1, store)) << text;
  }
}

TEST(RankBeatTest, NamesTheRankAndItsHost) {
  EXPECT_EQ(RankName(1, 4, {.host = "gpu02"}), "rank 1 of 4 on gpu02");
  EXPECT_EQ(RankName(0, 2, {}), "rank 0 of 2");
  EXPECT_EQ(RankFailure(1, 4, {.host = "gpu02", .failure = "no GPU"}),
            "rank 1 of 4 on gpu02: no GPU");
}

}  // namespace
}  // namespace spion
