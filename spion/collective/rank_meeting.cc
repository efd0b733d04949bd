#include "spion/collective/rank_meeting.h"

#include <c10/util/Exception.h>

#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "spion/collective/waiting_note.h"

namespace spion {
namespace {

using Clock = std::chrono::steady_clock;

// Of the store: how many have come, how many failed, the first failure, how many ended for it and
// do not need the store any more.
constexpr char kArrivals[] = "arrivals";
constexpr char kFailures[] = "failures";
constexpr char kFirstFailure[] = "first_failure";
constexpr char kEnded[] = "ended";

constexpr std::chrono::milliseconds kPoll(100);

}  // namespace

RankMeeting::RankMeeting(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks,
                         const RankBeat& mine, RankWatchOptions options)
    : store_(std::move(store)),
      rank_(rank),
      ranks_(ranks),
      name_(RankName(rank, ranks, mine)),
      options_(std::move(options)) {
  TORCH_CHECK(store_->add(absl::StrCat("came/", rank), 1) == 1, "a process of rank ", rank,
              " was here before: another run has this port, or an earlier attempt has not ended");
  TellBeat(mine, rank_, *store_);
  store_->add(kArrivals, 1);
}

void RankMeeting::Wait(std::chrono::milliseconds longest) {
  const auto start = Clock::now();
  const absl::Time end = absl::Now() + absl::FromChrono(longest);
  bool is_quiet = true;
  while (store_->add(kArrivals, 0) < ranks_) {
    CheckNobodyFailed();
    if (is_quiet && Clock::now() - start >= options_.quiet) {
      SayWhoIsMissing(end);
      is_quiet = false;
    }
    TORCH_CHECK(Clock::now() - start < longest, "not all ranks came within ",
                std::chrono::floor<std::chrono::seconds>(longest).count(),
                " s; missing: ", Missing());
    std::this_thread::sleep_for(kPoll);
  }
  CheckNobodyFailed();  // who came may have since
}

std::string RankMeeting::Fail(const RankBeat& mine) {
  const std::string& reason = mine.failure;
  bool is_said = false;
  try {
    TellBeat(mine, rank_, *store_);
    if (store_->add(kFailures, 1) == 1) {
      store_->set(kFirstFailure, RankFailure(rank_, ranks_, mine));
    }
    if (rank_ == 0) {
      options_.say(absl::StrCat("error: ", reason));
      is_said = true;
    }
    const auto end = Clock::now() + (rank_ == 0 ? options_.patience : 5 * options_.beat);
    for (;;) {
      if (rank_ == 0) {
        if (store_->add(kEnded, 0) == ranks_ - 1) break;  // nobody needs its store any more
      } else if (HasTold(0, *store_)) {
        const std::string said_by_first = BeatOf(0, *store_).failure;
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
  return rank_ == 0 ? reason : RankFailure(rank_, ranks_, mine);
}

void RankMeeting::CheckNobodyFailed() {
  TORCH_CHECK(!store_->check({kFirstFailure}), store_->get_to_str(kFirstFailure));
}

std::string RankMeeting::Missing() {
  std::vector<int> missing;
  for (int rank = 0; rank < ranks_; ++rank) {
    if (!HasTold(rank, *store_)) missing.push_back(rank);
  }
  return absl::StrCat(missing.size() == 1 ? "rank " : "ranks ", absl::StrJoin(missing, ", "));
}

// One of those that are there speaks for all.
void RankMeeting::SayWhoIsMissing(absl::Time end) {
  for (int rank = 0; rank < rank_; ++rank) {
    if (HasTold(rank, *store_)) return;
  }
  options_.say(WaitingNote(name_, options_.store_address, Missing(), end));
}

}  // namespace spion
