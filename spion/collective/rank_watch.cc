#include "spion/collective/rank_watch.h"

#include <c10/util/Exception.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/collective/waiting_note.h"

namespace spion {
namespace {

using Clock = std::chrono::steady_clock;

// What a rank tells.
struct Beat {
  int64_t count = 0;
  int64_t step = 0;
  std::string host;
  std::string state;
  std::string failure;  // why it ends, if it does
  std::string verdict;  // why it holds that all have to end
  bool is_done = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Beat, count, step, host, state, failure, verdict, is_done)

// Of the store. Before the ranks have met: how many have come, how many failed, the first failure,
// how many ended for it and do not need the store any more.
constexpr char kArrivals[] = "arrivals";
constexpr char kFailures[] = "failures";
constexpr char kFirstFailure[] = "first_failure";
constexpr char kEnded[] = "ended";

std::string KeyOf(int rank) { return absl::StrCat("beat/", rank); }

std::string TextOf(const Beat& beat) {
  return nlohmann::json(beat).dump(-1, ' ', /*ensure_ascii=*/true,
                                   nlohmann::json::error_handler_t::replace);
}

Beat BeatOf(const std::vector<uint8_t>& text) { return nlohmann::json::parse(text).get<Beat>(); }

std::string ErrorLine(const std::string& message) { return absl::StrCat("error: ", message); }

// Whoever reads the output may have stopped, and then nothing more is written.
void EndProcess(const std::string& message) {
  constexpr unsigned kSecondsToWrite = 5;
  std::signal(SIGALRM, [](int) { _exit(1); });
  alarm(kSecondsToWrite);
  std::cout << std::flush;
  if (!message.empty()) SayLine(ErrorLine(message));
  _exit(1);
}

}  // namespace

// Of the watch and its two threads, of which one may be left behind in a call to a store that does
// not answer. One talks to the store; the other judges by the clock, whatever the store does.
class RankWatch::Shared {
 public:
  Shared(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks, std::string host,
         const RankWatchOptions& options)
      : store_(std::move(store)), rank_(rank), options_(options), beats_(ranks), heard_(ranks) {
    for (int other = 0; other < ranks; ++other) keys_.push_back(KeyOf(other));
    if (!options_.say) options_.say = SayLine;
    if (!options_.end) options_.end = EndProcess;
    mine_.host = std::move(host);
    TORCH_CHECK(store_->add(absl::StrCat("came/", rank), 1) == 1, "a process of rank ", rank,
                " was here before: another run has this port, or an earlier attempt has not ended");
    Send(mine_);
    store_->add(kArrivals, 1);
  }

  void Meet(std::chrono::milliseconds longest) {
    const auto start = Clock::now();
    const absl::Time end = absl::Now() + absl::FromChrono(longest);
    bool is_quiet = true;
    while (store_->add(kArrivals, 0) < ranks()) {
      CheckNobodyFailed();
      if (is_quiet && Clock::now() - start >= options_.quiet) {
        SayWhoIsMissing(end);
        is_quiet = false;
      }
      TORCH_CHECK(Clock::now() - start < longest, "not all ranks came within ", Seconds(longest),
                  " s; missing: ", Missing());
      std::this_thread::sleep_for(kPoll);
    }
    CheckNobodyFailed();  // who came may have since
    const std::lock_guard<std::mutex> lock(mutex_);
    std::fill(heard_.begin(), heard_.end(), Clock::now());
    answered_ = Clock::now();
    has_met_ = judges_ = true;
  }

  void Talk() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!has_left_) {
      ++mine_.count;
      const Beat mine = mine_;
      lock.unlock();
      const std::optional<std::vector<Beat>> all = Exchange(mine);
      lock.lock();
      if (!all.has_value()) {
        is_store_gone_ = true;
        break;
      }
      const auto now = Clock::now();
      answered_ = now;
      for (int rank = 0; rank < ranks(); ++rank) {
        if ((*all)[rank].count != beats_[rank].count) heard_[rank] = now;
        beats_[rank] = (*all)[rank];
      }
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
    auto last = Clock::now();
    while (!has_left_) {
      const auto now = Clock::now();
      // This process itself was stopped, and probably all of them: nobody was heard.
      if (now - last > options_.patience / 4) {
        std::fill(heard_.begin(), heard_.end(), now);
        answered_ = now;
      }
      last = now;
      const std::string verdict = Verdict(now);
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
      lock.unlock();
      return End(FailBeforeMeeting(reason));
    }
    TellBeforeEnd(lock);
    if (rank_ == 0) {
      lock.unlock();
      return End(reason);
    }
    Wait(lock, [&] { return is_silent_ || beats_[0].failure == reason; });
    const bool is_said = beats_[0].failure == reason;
    lock.unlock();
    End(is_said ? "" : OwnFailure(reason));
  }

  void Blame(const std::string& what) {
    std::unique_lock<std::mutex> lock(mutex_);
    std::string message;
    // The judge ends the process when it knows.
    if (!changed_.wait_for(lock, 2 * options_.patience, [&] { return has_ended_; })) {
      mine_.failure = absl::StrCat("the ranks lost each other (", what, ")");
      message = absl::StrCat(mine_.failure, LastState());
      TellBeforeEnd(lock);
    }
    lock.unlock();
    End(message);
  }

  void Leave() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (has_left_ || !has_met_ || has_ended_) return;
    mine_.is_done = true;
    TellBeforeEnd(lock);
    // With rank 0 its store may go: it stays until the others have done with it, or have gone.
    if (rank_ == 0) {
      changed_.wait_for(lock, options_.patience, [&] { return is_silent_ || AllAreDone(); });
    }
    has_left_ = true;
    changed_.notify_all();
    // The process is about to end: a thread that still talks then is one whose store hangs.
    Wait(lock, [&] { return is_silent_ && !judges_; });
  }

 private:
  int ranks() const { return static_cast<int>(beats_.size()); }

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

  bool AllAreDone() const {
    return std::all_of(beats_.begin(), beats_.end(),
                       [&](const Beat& beat) { return &beat == &beats_[rank_] || beat.is_done; });
  }

  void CheckNobodyFailed() {
    TORCH_CHECK(!store_->check({kFirstFailure}), store_->get_to_str(kFirstFailure));
  }

  // Tells those who have come and those who come, and returns what there is to say then.
  std::string FailBeforeMeeting(const std::string& reason) {
    bool is_said = false;
    try {
      Send(mine_);
      if (store_->add(kFailures, 1) == 1) store_->set(kFirstFailure, OwnFailure(reason));
      if (rank_ == 0) {
        options_.say(ErrorLine(reason));
        is_said = true;
      }
      const auto end = Clock::now() + (rank_ == 0 ? options_.patience : 5 * options_.beat);
      for (;;) {
        if (rank_ == 0) {
          if (store_->add(kEnded, 0) == ranks() - 1) break;  // nobody needs its store any more
        } else if (store_->check({keys_[0]})) {
          const std::string said_by_first = BeatOf(store_->get(keys_[0])).failure;
          is_said = said_by_first == reason;
          if (!said_by_first.empty()) break;
        }
        if (Clock::now() >= end) break;
        std::this_thread::sleep_for(kPoll);
      }
      if (rank_ != 0) store_->add(kEnded, 1);
    } catch (const std::exception& error) {
      // Nobody can be told.
    }
    if (is_said) return "";
    return rank_ == 0 ? reason : OwnFailure(reason);
  }

  std::string OwnFailure(const std::string& reason) const {
    return absl::StrCat(Named(rank_, mine_), ": ", reason);
  }

  void Send(const Beat& beat) { store_->set(KeyOf(rank_), TextOf(beat)); }

  // Nothing if the store is gone.
  std::optional<std::vector<Beat>> Exchange(const Beat& mine) {
    try {
      Send(mine);
      std::vector<Beat> all;
      all.reserve(beats_.size());
      for (const std::vector<uint8_t>& text : store_->multiGet(keys_)) all.push_back(BeatOf(text));
      return all;
    } catch (const std::exception& error) {
      return std::nullopt;
    }
  }

  bool IsThere(int rank) { return store_->check({keys_[rank]}); }

  std::string Missing() {
    std::vector<int> missing;
    for (int rank = 0; rank < ranks(); ++rank) {
      if (!IsThere(rank)) missing.push_back(rank);
    }
    return absl::StrCat(missing.size() == 1 ? "rank " : "ranks ", absl::StrJoin(missing, ", "));
  }

  // One of those that are there speaks for all.
  void SayWhoIsMissing(absl::Time end) {
    for (int rank = 0; rank < rank_; ++rank) {
      if (IsThere(rank)) return;
    }
    options_.say(WaitingNote(Named(rank_, mine_), options_.store_address, Missing(), end));
  }

  std::string Named(int rank, const Beat& beat) const {
    return absl::StrCat("rank ", rank, " of ", ranks(),
                        beat.host.empty() ? "" : absl::StrCat(" on ", beat.host));
  }

  std::string LastState() const {
    const std::string& state = rank_ == 0 ? mine_.state : beats_[0].state;
    return state.empty() ? "; no state has been saved"
                         : absl::StrCat("; the same command with --resume goes on from ", state);
  }

  static int64_t Seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
  }

  // Why the run is to end; "" if it is not.
  std::string Verdict(Clock::time_point now) {
    if (!mine_.failure.empty() || mine_.is_done) return "";  // Fail ends it; Leave leaves it
    // Before anything else: who has judged ends, and is not to be taken for lost.
    for (const Beat& beat : beats_) {
      if (!beat.verdict.empty()) return beat.verdict;
    }
    for (int rank = 0; rank < ranks(); ++rank) {
      const Beat& beat = beats_[rank];
      if (rank == rank_ || beat.is_done) continue;
      if (!beat.failure.empty()) {
        // Perhaps this rank is about to fail for the same reason, and will say so itself.
        if (!first_failure_seen_.has_value()) first_failure_seen_ = now;
        if (now - *first_failure_seen_ < 2 * options_.beat) return "";
        return absl::StrCat(Named(rank, beat), " failed after step ", beat.step, ": ", beat.failure,
                            LastState());
      }
      // While the store does not answer, nobody can be heard.
      if (now - heard_[rank] > options_.patience && now - answered_ < options_.patience / 4) {
        return absl::StrCat(Named(rank, beat), " is lost: nothing was heard of it for ",
                            Seconds(options_.patience), " s; the last step it told of is ",
                            beat.step, LastState());
      }
    }
    if (is_store_gone_ || now - answered_ > options_.patience) {
      const Beat& first = beats_[0];
      return absl::StrCat(options_.store_owner, first.host.empty() ? "" : " on ", first.host,
                          " is lost: its store ", is_store_gone_ ? "is gone" : "does not answer",
                          "; the last step that rank 0 told of is ", first.step, LastState());
    }
    return "";
  }

  // Once; who comes second waits, so that nobody goes on meanwhile.
  void End(const std::string& message) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (std::exchange(has_ended_, true)) {
      changed_.wait(lock, [this] { return is_over_; });
      return;
    }
    changed_.notify_all();
    lock.unlock();
    options_.end(message);
    lock.lock();
    is_over_ = true;
    changed_.notify_all();
  }

  static constexpr std::chrono::milliseconds kPoll{100};

  const c10::intrusive_ptr<c10d::Store> store_;
  const int rank_;
  std::vector<std::string> keys_;  // of all ranks' beats
  RankWatchOptions options_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  Beat mine_;
  std::vector<Beat> beats_;                    // as last heard
  std::vector<Clock::time_point> heard_;       // when each rank last told something new
  Clock::time_point answered_ = Clock::now();  // the store
  std::optional<Clock::time_point> first_failure_seen_;
  int64_t told_ = 0;  // the count of the last beat that the store has
  bool has_news_ = false;
  bool is_store_gone_ = false;
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
