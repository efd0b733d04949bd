#include "spion/collective/rank_meeting.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

constexpr std::chrono::milliseconds kPatience(2000);

using StorePointer = c10::intrusive_ptr<c10d::Store>;

struct Rank {
  Rank(const StorePointer& store, int number, int ranks,
       std::chrono::milliseconds patience = kPatience)
      : beat({.host = "host" + std::to_string(number)}),
        meeting(store, number, ranks, beat,
                {.beat = std::chrono::milliseconds(20),
                 .patience = patience,
                 .quiet = std::chrono::milliseconds(100),
                 .store_address = "host0:29500",
                 .say = [this](const std::string& line) {
                   const std::lock_guard<std::mutex> lock(mutex);
                   lines.push_back(line);
                 }}) {}

  // While it goes on, by now.
  std::vector<std::string> said() {
    const std::lock_guard<std::mutex> lock(mutex);
    return lines;
  }

  // What Wait throws; "" if it does not.
  std::string ErrorOfWaiting(std::chrono::milliseconds longest = std::chrono::minutes(1)) {
    try {
      meeting.Wait(longest);
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "";
  }

  std::string Fail(const std::string& reason) {
    beat.failure = reason;
    return meeting.Fail(beat);
  }

  std::mutex mutex;  // of the lines
  std::vector<std::string> lines;
  RankBeat beat;
  RankMeeting meeting;
};

class RankMeetingTest : public testing::Test {
 protected:
  StorePointer store_ = c10::make_intrusive<c10d::HashStore>();
};

TEST_F(RankMeetingTest, WhoWaitsGoesOnWhenAllHaveCome) {
  Rank first(store_, 0, 2);
  std::atomic<bool> have_met = false;
  std::thread waits([&] {
    EXPECT_EQ(first.ErrorOfWaiting(), "");
    have_met = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(have_met);
  Rank second(store_, 1, 2);
  EXPECT_EQ(second.ErrorOfWaiting(), "");
  waits.join();
  EXPECT_THAT(second.said(), IsEmpty());
}

TEST_F(RankMeetingTest, OfOneNumberOnlyOneIsLetIn) {
  const Rank first(store_, 1, 2);
  const std::string beat = store_->get_to_str("beat/1");
  try {
    const RankMeeting second(store_, 1, 2, {.host = "host2"}, {});
    ADD_FAILURE() << "two were let in";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a process of rank 1 was here before"));
  }
  EXPECT_EQ(store_->get_to_str("beat/1"), beat);
}

TEST_F(RankMeetingTest, WhoDoesNotComeIsNamed) {
  Rank first(store_, 0, 4);
  const Rank third(store_, 2, 4);
  EXPECT_EQ(first.ErrorOfWaiting(std::chrono::milliseconds(1200)),
            "not all ranks came within 1 s; missing: ranks 1, 3");
}

TEST_F(RankMeetingTest, TheFirstOfThoseWhoAreThereSaysOnceWhomTheyWaitFor) {
  Rank second(store_, 1, 4);
  Rank third(store_, 2, 4);
  std::thread waits([&] { EXPECT_NE(third.ErrorOfWaiting(kPatience / 2), ""); });
  EXPECT_NE(second.ErrorOfWaiting(kPatience / 2), "");
  waits.join();
  EXPECT_THAT(second.said(),
              ElementsAre(MatchesRegex("note: rank 1 of 4 on host1 waits at host0:29500 for ranks "
                                       "0, 3, until [0-9][0-9]:[0-9][0-9]:[0-9][0-9]")));
  EXPECT_THAT(third.said(), IsEmpty());
}

TEST_F(RankMeetingTest, WhoFailsBeforeAllHaveComeIsNamed) {
  Rank first(store_, 0, 3);
  std::string error;
  std::thread waits([&] { error = first.ErrorOfWaiting(); });
  Rank second(store_, 1, 3);
  EXPECT_EQ(second.Fail("no GPU"), "rank 1 of 3 on host1: no GPU");
  waits.join();
  EXPECT_EQ(error, "rank 1 of 3 on host1: no GPU");
  Rank third(store_, 2, 3);  // comes when it is over
  EXPECT_EQ(third.ErrorOfWaiting(), "rank 1 of 3 on host1: no GPU");
}

TEST_F(RankMeetingTest, RankZeroThatFailsStaysUntilAllHaveCome) {
  Rank first(store_, 0, 2, std::chrono::hours(1));
  std::string left;
  std::atomic<bool> has_ended = false;
  std::thread fails([&] {
    left = first.Fail("no GPU");
    has_ended = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(has_ended);
  EXPECT_THAT(first.said(), ElementsAre("error: no GPU"));  // at once
  Rank second(store_, 1, 2);
  EXPECT_EQ(second.ErrorOfWaiting(), "rank 0 of 2 on host0: no GPU");
  EXPECT_FALSE(has_ended);  // its store is needed to fail, too
  EXPECT_EQ(second.Fail("cannot meet the others"), "rank 1 of 2 on host1: cannot meet the others");
  fails.join();
  EXPECT_EQ(left, "");  // it is said
}

TEST_F(RankMeetingTest, RankZeroDoesNotStayLongerThanItsPatience) {
  Rank first(store_, 0, 2, std::chrono::milliseconds(200));
  EXPECT_EQ(first.Fail("no GPU"), "");
}

TEST_F(RankMeetingTest, WhatAllFailForIsSaidOnce) {
  Rank first(store_, 0, 2);
  Rank second(store_, 1, 2);
  std::string left;
  std::thread fails([&] { left = second.Fail("no GPU"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the second looks, and again later
  EXPECT_EQ(first.Fail("no GPU"), "");
  fails.join();
  EXPECT_THAT(first.said(), ElementsAre("error: no GPU"));
  EXPECT_EQ(left, "");
  EXPECT_THAT(second.said(), IsEmpty());
}

// A store that rank 0 took with it.
class CutStore : public c10d::HashStore {
 public:
  void set(const std::string& key, const std::vector<uint8_t>& value) override {
    if (is_cut) throw std::runtime_error("gone");
    c10d::HashStore::set(key, value);
  }
  using c10d::HashStore::set;
  bool is_cut = false;
};

TEST_F(RankMeetingTest, WhereNobodyCanBeToldTheReasonIsSaidHere) {
  const auto store = c10::make_intrusive<CutStore>();
  Rank first(store, 0, 2);
  Rank second(store, 1, 2);
  store->is_cut = true;
  EXPECT_EQ(first.Fail("no GPU"), "no GPU");
  EXPECT_EQ(second.Fail("no GPU"), "rank 1 of 2 on host1: no GPU");
}

}  // namespace
}  // namespace spion
