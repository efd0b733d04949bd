#include "spion/collective/rank_watch.h"

#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/collective/rank_beat.h"
#include "spion/collective/rank_judgement.h"
#include "spion/collective/rank_meeting.h"
#include "spion/collective/waiting_note.h"

namespace spion {
namespace {

using Clock = std::chrono::steady_clock;

// Whoever reads the output may have stopped, and then nothing more is written.
void EndProcess(const std::string& message) {
  constexpr unsigned kSecondsToWrite = 5;
  std::signal(SIGALRM, [](int) { _exit(1); });
  alarm(kSecondsToWrite);
  std::cout << std::flush;
  if (!message.empty()) SayLine(absl::StrCat("error: ", message));
  _exit(1);
}

}  // namespace

// Of the watch and its two threads, of which one may be left behind in a call to a store that does
// not answer. One talks to the store; the other judges by the clock, whatever the store does.
class RankWatch::Shared {
 public:
  Shared(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks, std::string host,
         RankWatchOptions options)
      : store_(std::move(store)),
        rank_(rank),
        ranks_(ranks),
        options_(WithDefaults(std::move(options))),
        mine_({.host = std::move(host)}),
        meeting_(store_, rank, ranks, mine_, options_),
        judgement_(rank, ranks, options_, Clock::now()) {}

  void Meet(std::chrono::milliseconds longest) {
    meeting_.Wait(longest);
    const std::lock_guard<std::mutex> lock(mutex_);
    judgement_.Forgive(Clock::now());
    has_met_ = judges_ = true;
  }

  void Talk() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!has_left_) {
      ++mine_.count;
      const RankBeat mine = mine_;
      lock.unlock();
      const std::optional<std::vector<RankBeat>> all = Exchange(mine);
      lock.lock();
      if (!all.has_value()) {
        judgement_.LoseStore();
        break;
      }
      judgement_.Hear(*all, Clock::now());
      told_ = mine.count;
      changed_.notify_all();
      changed_.wait_for(lock, options_.beat, [&] { return has_left_ || has_news_; });
      has_news_ = false;
    }
    is_silent_ = true;
    changed_.notify_all();
  }

  void Judge() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!has_left_) {
      const std::string verdict = judgement_.Verdict(mine_, Clock::now());
      if (!verdict.empty()) {
        mine_.verdict = verdict;
        TellBeforeEnd(lock);
        if (mine_.is_done) break;  // all had done their part meanwhile
        lock.unlock();
        End(verdict);
        lock.lock();
        break;
      }
      changed_.wait_for(lock, options_.beat / 2);
    }
    judges_ = false;
    changed_.notify_all();
  }

  void Tell(int64_t step, const std::string& state) {
    const std::lock_guard<std::mutex> lock(mutex_);
    mine_.step = step;
    mine_.state = state;
  }

  void Fail(const std::string& reason) {
    std::unique_lock<std::mutex> lock(mutex_);
    mine_.failure = reason;
    if (!has_met_) {
      const RankBeat mine = mine_;
      lock.unlock();
      return End(meeting_.Fail(mine));
    }
    TellBeforeEnd(lock);
    if (rank_ == 0) {
      lock.unlock();
      return End(reason);
    }
    const auto is_said = [&] { return judgement_.LastBeat(0).failure == reason; };
    Wait(lock, [&] { return is_silent_ || is_said(); });
    const std::string message = is_said() ? "" : RankFailure(rank_, ranks_, mine_);
    lock.unlock();
    End(message);
  }

  void Blame(const std::string& what) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::string message;
    // The judge ends the process when it knows.
    if (!changed_.wait_for(lock, 2 * options_.patience, [&] { return has_ended_; })) {
      mine_.failure = absl::StrCat("the ranks lost each other (", what, ")");
      message = absl::StrCat(mine_.failure, judgement_.LastState(mine_));
      TellBeforeEnd(lock);
    }
    lock.unlock();
    End(message);
  }

  void Leave() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (has_left_ || !has_met_) return;
    if (has_ended_) return WaitForEnd(lock);
    mine_.is_done = true;
    TellBeforeEnd(lock);
    // With rank 0 its store may go: it stays until the others have done with it, or have gone.
    if (rank_ == 0) {
      changed_.wait_for(lock, options_.patience,
                        [&] { return is_silent_ || judgement_.OthersAreDone(); });
    }
    has_left_ = true;
    changed_.notify_all();
    // The process is about to end: a thread that still talks then is one whose store hangs.
    Wait(lock, [&] { return is_silent_ && !judges_; });
  }

 private:
  static RankWatchOptions WithDefaults(RankWatchOptions options) {
    if (!options.say) options.say = SayLine;
    if (!options.end) options.end = EndProcess;
    return options;
  }

  // A while.
  template <typename Condition>
  void Wait(std::unique_lock<std::mutex>& lock, const Condition& condition) {
    changed_.wait_for(lock, 5 * options_.beat, condition);
  }

  // What `mine_` has come to say. With rank 0 its store may go, and the others have to hear it
  // first.
  void TellBeforeEnd(std::unique_lock<std::mutex>& lock) {
    has_news_ = true;
    const int64_t before = mine_.count;
    changed_.notify_all();
    Wait(lock, [&] { return is_silent_ || told_ > before; });
    if (rank_ == 0) Wait(lock, [&] { return is_silent_ || told_ > before + 3; });
  }

  // Nothing if the store is gone.
  std::optional<std::vector<RankBeat>> Exchange(const RankBeat& mine) {
    try {
      TellBeat(mine, rank_, *store_);
      return BeatsOf(ranks_, *store_);
    } catch (const std::exception& error) {
      return std::nullopt;
    }
  }

  void WaitForEnd(std::unique_lock<std::mutex>& lock) {
    changed_.wait(lock, [this] { return is_over_; });
  }

  // Once; who comes second waits, so that nobody goes on meanwhile.
  void End(const std::string& message) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (std::exchange(has_ended_, true)) return WaitForEnd(lock);
    changed_.notify_all();
    lock.unlock();
    options_.end(message);
    lock.lock();
    is_over_ = true;
    changed_.notify_all();
  }

  const c10::intrusive_ptr<c10d::Store> store_;
  const int rank_;
  const int ranks_;
  const RankWatchOptions options_;
  std::mutex mutex_;  // of all that follows but the meeting
  std::condition_variable changed_;
  RankBeat mine_;
  RankMeeting meeting_;
  RankJudgement judgement_;
  int64_t told_ = 0;  // the count of the last beat that the store has
  bool has_news_ = false;
  bool has_met_ = false;
  bool has_left_ = false;
  bool is_silent_ = false;  // the thread that talks has ended
  bool judges_ = false;     // the thread that judges has not
  bool has_ended_ = false;
  bool is_over_ = false;  // the end has been called and, where it does so, has returned
};

RankWatch::RankWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks, std::string host,
                     const RankWatchOptions& options)
    : shared_(std::make_shared<Shared>(std::move(store), rank, ranks, std::move(host), options)) {}

RankWatch::~RankWatch() { Leave(); }

void RankWatch::Meet(std::chrono::milliseconds longest) {
  shared_->Meet(longest);
  std::thread([shared = shared_] { shared->Talk(); }).detach();
  std::thread([shared = shared_] { shared->Judge(); }).detach();
}

void RankWatch::Tell(int64_t step, const std::string& state) { shared_->Tell(step, state); }
void RankWatch::Fail(const std::string& reason) { shared_->Fail(reason); }
void RankWatch::Blame(const std::string& what) { shared_->Blame(what); }
void RankWatch::Leave() { shared_->Leave(); }

}  // namespace spion
