#include "spion/collective/rank_judgement.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace spion {

RankJudgement::RankJudgement(int rank, int ranks, RankWatchOptions options, Time now)
    : rank_(rank),
      options_(std::move(options)),
      beats_(ranks),
      heard_(ranks, now),
      answered_(now) {}

void RankJudgement::Forgive(Time now) {
  std::fill(heard_.begin(), heard_.end(), now);
  answered_ = now;
}

void RankJudgement::Hear(const std::vector<RankBeat>& beats, Time now) {
  for (size_t rank = 0; rank < beats_.size(); ++rank) {
    if (beats[rank].count != beats_[rank].count) heard_[rank] = now;
  }
  beats_ = beats;
  answered_ = now;
}

std::string RankJudgement::Verdict(const RankBeat& mine, Time now) {
  if (looked_.has_value() && now - *looked_ > options_.patience / 4) Forgive(now);
  looked_ = now;
  if (!mine.failure.empty() || mine.is_done) return "";  // it ends, or leaves, by itself
  // Before anything else: who has judged ends, and is not to be taken for lost.
  for (const RankBeat& beat : beats_) {
    if (!beat.verdict.empty()) return beat.verdict;
  }
  const int ranks = static_cast<int>(beats_.size());
  for (int rank = 0; rank < ranks; ++rank) {
    const RankBeat& beat = beats_[rank];
    if (rank == rank_ || beat.is_done) continue;
    if (!beat.failure.empty()) {
      // Perhaps this rank is about to fail for the same reason, and will say so itself.
      if (!first_failure_seen_.has_value()) first_failure_seen_ = now;
      if (now - *first_failure_seen_ < 2 * options_.beat) return "";
      return absl::StrCat(RankName(rank, ranks, beat), " failed after step ", beat.step, ": ",
                          beat.failure, LastState(mine));
    }
    // While the store does not answer, nobody can be heard.
    if (now - heard_[rank] > options_.patience && now - answered_ < options_.patience / 4) {
      return absl::StrCat(RankName(rank, ranks, beat), " is lost: nothing was heard of it for ",
                          std::chrono::floor<std::chrono::seconds>(options_.patience).count(),
                          " s; the last step it told of is ", beat.step, LastState(mine));
    }
  }
  if (is_store_gone_ || now - answered_ > options_.patience) {
    return absl::StrCat(LossOfStore(), LastState(mine));
  }
  return "";
}

std::string RankJudgement::LossOfStore() const {
  const RankBeat& first = beats_[0];
  return absl::StrCat(options_.store_owner, first.host.empty() ? "" : " on ", first.host,
                      " is lost: its store ", is_store_gone_ ? "is gone" : "does not answer",
                      "; the last step that rank 0 told of is ", first.step);
}

bool RankJudgement::OthersAreDone() const {
  return std::all_of(beats_.begin(), beats_.end(),
                     [&](const RankBeat& beat) { return &beat == &beats_[rank_] || beat.is_done; });
}

std::string RankJudgement::LastState(const RankBeat& mine) const {
  const std::string& state = rank_ == 0 ? mine.state : beats_[0].state;
  constexpr absl::string_view kWayOn = "the same command with --resume goes on from ";
  // What was heard last may be a second old, and a run on CPUs saves one when it loses a rank.
  return state.empty() ? absl::StrCat("; if a state was saved, ", kWayOn, "it")
                       : absl::StrCat("; ", kWayOn, state);
}

}  // namespace spion
