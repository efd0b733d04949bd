#include "spion/collective/rank_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
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
  bool is_cut = false;
  std::atomic<bool> hangs = false;
};

struct Rank {
  Rank(const c10::intrusive_ptr<CutStore>& store, int number, int ranks)
      : watch(store, number, ranks, "host" + std::to_string(number),
              {.beat = std::chrono::milliseconds(20),
               .patience = std::chrono::milliseconds(2000),
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
    const std::string wanted = "\"step\":" + std::to_string(step) + "}";
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
              "rank 1 of 3 on host1 failed after step 12: no space left; no state has been saved");
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

TEST_F(RankWatchTest, WhoHasLeftNeedNotBeHeard) {
  Start(2);
  ranks_[1]->watch.Leave();
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_FALSE(ranks_[0]->ending.HasEnded());
  ranks_[0]->watch.Leave();
  EXPECT_FALSE(ranks_[0]->ending.HasEnded());
}

TEST_F(RankWatchTest, OfOneNumberOnlyOneIsLetIn) {
  const RankWatch first(store_, 1, 2, "host1");
  const std::string beat = store_->get_to_str("beat/1");
  try {
    const RankWatch second(store_, 1, 2, "host2");
    ADD_FAILURE() << "two were let in";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a process of rank 1 was here before"));
  }
  EXPECT_EQ(store_->get_to_str("beat/1"), beat);
}

TEST_F(RankWatchTest, WhoDoesNotComeIsNamed) {
  Rank first(store_, 0, 4);
  const RankWatch third(store_, 2, 4, "host2");
  try {
    first.watch.Meet(std::chrono::milliseconds(300));
    ADD_FAILURE() << "nobody was missed";
  } catch (const c10::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing: ranks 1, 3"));
  }
}

}  // namespace
}  // namespace spion
