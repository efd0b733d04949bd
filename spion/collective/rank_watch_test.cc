#include "spion/collective/rank_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What a watch says when it ends its process.
class Ending {
 public:
  void End(const std::string& message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    message_ = message;
    changed_.notify_all();
  }
  // Waits for it.
  std::string Message() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return message_.has_value(); });
    return *message_;
  }
  bool HasEnded() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return message_.has_value();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::string> message_;
};

// A store that can be cut off, or made not to answer.
class CutStore : public c10d::HashStore {
 public:
  void set(const std::string& key, const std::vector<uint8_t>& value) override {
    if (is_cut) throw std::runtime_error("gone");
    while (hangs) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    c10d::HashStore::set(key, value);
  }
  using c10d::HashStore::set;
  std::vector<uint8_t> get(const std::string& key) override {
    ++gets;
    return c10d::HashStore::get(key);
  }
  std::vector<std::vector<uint8_t>> multiGet(const std::vector<std::string>& keys) override {
    ++multi_gets;
    return c10d::HashStore::multiGet(keys);
  }
  std::atomic<bool> is_cut = false;
  std::atomic<bool> hangs = false;
  std::atomic<int> gets = 0;
  std::atomic<int> multi_gets = 0;
};

constexpr std::chrono::milliseconds kPatience(2000);

struct Rank {
  Rank(const c10::intrusive_ptr<CutStore>& store, int number, int ranks,
       std::chrono::milliseconds patience = kPatience)
      : watch(store, number, ranks, "host" + std::to_string(number),
              {.beat = std::chrono::milliseconds(20),
               .patience = patience,
               .store_owner = "the launcher",
               .end = [this](const std::string& message) { ending.End(message); }}) {}
  Ending ending;
  RankWatch watch;
};

class RankWatchTest : public testing::Test {
 protected:
  // All ranks of a run.
  void Start(int ranks) {
    for (int rank = 0; rank < ranks; ++rank) {
      ranks_.push_back(std::make_unique<Rank>(store_, rank, ranks));
    }
    for (const auto& rank : ranks_) rank->watch.Meet(std::chrono::minutes(1));
  }
  // Waits until rank `of` has told that it is at `step`.
  void WaitForStep(int of, int step) {
    const std::string wanted = "\"step\":" + std::to_string(step) + ",";
    while (store_->get_to_str("beat/" + std::to_string(of)).find(wanted) == std::string::npos) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  c10::intrusive_ptr<CutStore> store_ = c10::make_intrusive<CutStore>();
  std::vector<std::unique_ptr<Rank>> ranks_;
};

TEST_F(RankWatchTest, WhoFallsSilentIsNamed) {
  // Rank 1 beats once and is not heard again.
  const RankWatch silent(store_, 1, 2, "host1");
  Rank rank(store_, 0, 2);
  rank.watch.Meet(std::chrono::minutes(1));
  rank.watch.Tell(7, "state.safetensors of step 5");
  EXPECT_THAT(rank.ending.Message(),
              AllOf(HasSubstr("rank 1 of 2 on host1 is lost: nothing was heard of it for 2 s"),
                    HasSubstr("the last step it told of is 0"),
                    HasSubstr("--resume goes on from state.safetensors of step 5")));
}

TEST_F(RankWatchTest, WhoFailsSaysWhyToAll) {
  Start(3);
  ranks_[1]->watch.Tell(12, "");
  WaitForStep(1, 12);
  ranks_[1]->watch.Fail("no space left");
  EXPECT_EQ(ranks_[1]->ending.Message(), "rank 1 of 3 on host1: no space left");
  for (const int rank : {0, 2}) {
    EXPECT_EQ(ranks_[rank]->ending.Message(),
              "rank 1 of 3 on host1 failed after step 12: no space left; if a state was saved, the "
              "same command with --resume goes on from it");
  }
}

TEST_F(RankWatchTest, WhatAllFailForIsSaidOnce) {
  Start(2);
  std::thread second([this] { ranks_[1]->watch.Fail("not finite"); });
  ranks_[0]->watch.Fail("not finite");
  second.join();
  EXPECT_EQ(ranks_[0]->ending.Message(), "not finite");
  EXPECT_EQ(ranks_[1]->ending.Message(), "");
}

TEST_F(RankWatchTest, AfterAFailedCallItIsFoundOutWhoIsLost) {
  Start(2);
  std::thread waits([this] { ranks_[0]->watch.Blame("connection reset"); });
  ranks_[1]->watch.Fail("out of memory");
  waits.join();
  EXPECT_THAT(ranks_[0]->ending.Message(), HasSubstr("rank 1 of 2 on host1 failed"));
}

// Nobody is lost, yet two cannot reach each other.
TEST_F(RankWatchTest, WhoKnowsOnlyThatACallFailedTellsTheOthers) {
  Start(2);
  ranks_[1]->watch.Blame("connection reset");
  EXPECT_EQ(ranks_[1]->ending.Message(),
            "the ranks lost each other (connection reset); if a state was saved, the same command "
            "with --resume goes on from it");
  EXPECT_THAT(ranks_[0]->ending.Message(),
              HasSubstr("rank 1 of 2 on host1 failed after step 0: the ranks lost each other"));
}

// And who says it ends, its store with it, and is not lost itself.
TEST_F(RankWatchTest, WhatOneJudgesAllSay) {
  const RankWatch silent(store_, 2, 3, "host2");
  Rank first(store_, 0, 3);
  Rank second(store_, 1, 3, std::chrono::hours(1));
  first.watch.Meet(std::chrono::minutes(1));
  second.watch.Meet(std::chrono::minutes(1));
  const std::string verdict = second.ending.Message();
  EXPECT_THAT(verdict, HasSubstr("rank 2 of 3 on host2 is lost"));
  EXPECT_EQ(first.ending.Message(), verdict);
}

TEST_F(RankWatchTest, AllThatIsToldIsAskedForAtOnce) {
  Start(3);
  while (store_->multi_gets < 20) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(store_->gets, 0);
}

TEST_F(RankWatchTest, WithoutTheStoreTheRunEnds) {
  Start(2);
  // Who tells a second time has heard the others by then.
  for (const int step : {1, 2}) {
    for (const int rank : {0, 1}) {
      ranks_[rank]->watch.Tell(step, "");
      WaitForStep(rank, step);
    }
  }
  store_->is_cut = true;
  for (const auto& rank : ranks_) {
    EXPECT_THAT(rank->ending.Message(),
                HasSubstr("the launcher on host0 is lost: its store is gone"));
  }
}

// Nobody can be heard then, so none of the others is blamed.
TEST_F(RankWatchTest, AStoreThatDoesNotAnswerEndsTheRun) {
  // Heard for the last time a little before the store is.
  const RankWatch silent(store_, 1, 2, "host1");
  Rank rank(store_, 0, 2);
  rank.watch.Meet(std::chrono::minutes(1));
  rank.watch.Tell(1, "");
  WaitForStep(0, 1);
  store_->hangs = true;
  EXPECT_THAT(rank.ending.Message(),
              HasSubstr("the launcher on host0 is lost: its store does not answer"));
  store_->hangs = false;
}

TEST_F(RankWatchTest, NobodyIsBlamedForTheTimeBeforeAllHadCome) {
  Rank rank(store_, 0, 2);
  std::this_thread::sleep_for(kPatience + std::chrono::milliseconds(200));
  const RankWatch late(store_, 1, 2, "host1");
  store_->hangs = true;  // nothing is heard any more
  rank.watch.Meet(std::chrono::minutes(1));
  std::this_thread::sleep_for(kPatience / 4);
  EXPECT_FALSE(rank.ending.HasEnded());
  store_->hangs = false;
}

TEST_F(RankWatchTest, WhoHasLeftNeedNotBeHeard) {
  Start(2);
  ranks_[1]->watch.Leave();
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_FALSE(ranks_[0]->ending.HasEnded());
  ranks_[0]->watch.Leave();
  EXPECT_FALSE(ranks_[0]->ending.HasEnded());
}

TEST_F(RankWatchTest, RankZeroStaysUntilAllHaveLeft) {
  Start(2);
  std::atomic<bool> has_left = false;
  std::thread leaves([&] {
    ranks_[0]->watch.Leave();
    has_left = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_FALSE(has_left);
  ranks_[1]->watch.Leave();
  leaves.join();
}

TEST_F(RankWatchTest, RankZeroDoesNotStayForWhoHangs) {
  Start(2);
  ranks_[0]->watch.Leave();
  EXPECT_FALSE(ranks_[0]->ending.HasEnded());
}

// Else its process could end well, or with nothing said, while it is being ended.
TEST_F(RankWatchTest, WhoIsBeingEndedDoesNotLeaveMeanwhile) {
  const RankWatch silent(store_, 1, 2, "host1");
  std::atomic<bool> ends = false;
  std::atomic<bool> has_ended = false;
  const auto end = [&](const std::string& /*message*/) {
    ends = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    has_ended = true;
  };
  RankWatch watch(store_, 0, 2, "host0",
                  {.beat = std::chrono::milliseconds(20), .patience = kPatience, .end = end});
  watch.Meet(std::chrono::minutes(1));
  while (!ends) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  watch.Leave();
  EXPECT_TRUE(has_ended);
}

// What Meet throws.
std::string ErrorOfMeeting(Rank& rank) {
  try {
    rank.watch.Meet(std::chrono::minutes(1));
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "none";
}

TEST_F(RankWatchTest, WhoFailsBeforeAllHaveComeIsNamed) {
  Rank first(store_, 0, 3);
  std::string error;
  std::thread waits([&] { error = ErrorOfMeeting(first); });
  Rank second(store_, 1, 3);
  second.watch.Fail("no GPU");
  EXPECT_EQ(second.ending.Message(), "rank 1 of 3 on host1: no GPU");
  waits.join();
  EXPECT_EQ(error, "rank 1 of 3 on host1: no GPU");
  Rank third(store_, 2, 3);  // comes when it is over
  EXPECT_EQ(ErrorOfMeeting(third), "rank 1 of 3 on host1: no GPU");
}

// A pager that is held, at the other end of a pipe.
TEST(RankWatchDeathTest, EndsThoughNobodyReadsTheOutput) {
  const auto fail_with_a_full_pipe = [] {
    int ends[2];
    TORCH_CHECK(pipe(ends) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const std::string much(1 << 20, 'x');
    while (write(ends[1], much.data(), much.size()) > 0) continue;
    TORCH_CHECK(fcntl(ends[1], F_SETFL, 0) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0);
    std::cout << "progress";
    RankWatch watch(c10::make_intrusive<c10d::HashStore>(), 0, 1, "host");
    watch.Fail("no space left");
  };
  EXPECT_EXIT(fail_with_a_full_pipe(), testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace spion
