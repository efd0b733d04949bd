// Whether a run of several ranks has to end, by what was heard of them and of their store. It knows
// no clock but the times that it is given, and no threads: whoever calls holds a lock.
//
//   RankJudgement judgement(rank, ranks, options, now);
//   judgement.Hear(BeatsOf(ranks, store), now);                 // each time that the store answers
//   const std::string verdict = judgement.Verdict(mine, now);   // every half beat
#ifndef SPION_COLLECTIVE_RANK_JUDGEMENT_H_
#define SPION_COLLECTIVE_RANK_JUDGEMENT_H_

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "spion/collective/rank_beat.h"
#include "spion/collective/rank_watch_options.h"

namespace spion {

class RankJudgement {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// All count as heard at `now`. Of the options it is `beat`, `patience` and `store_owner` that
  /// count.
  RankJudgement(int rank, int ranks, RankWatchOptions options, Time now);

  /// All ranks, and the store, count as heard at this time: they have met, or this process itself
  /// was stopped, and probably all of them.
  void Forgive(Time now);

  /// The store answered: what all ranks have told last.
  void Hear(const std::vector<RankBeat>& beats, Time now);

  /// The store refused.
  void LoseStore() { is_store_gone_ = true; }

  /// Why the run is to end, for the user; "" if it is not. `mine`: what this rank has to tell, told
  /// or not. To be asked more often than four times within `patience`: where it was not, this
  /// process was stopped, and nobody is blamed for having been silent.
  std::string Verdict(const RankBeat& mine, Time now);

  /// As last heard.
  const RankBeat& LastBeat(int rank) const { return beats_[rank]; }
  bool OthersAreDone() const;

  /// Which state the run can go on from, as the end of a message.
  std::string LastState(const RankBeat& mine) const;

 private:
  std::string LossOfStore() const;

  const int rank_;
  const RankWatchOptions options_;
  std::vector<RankBeat> beats_;
  std::vector<Time> heard_;  // when each rank last told something new
  Time answered_;            // the store
  std::optional<Time> looked_;
  std::optional<Time> first_failure_seen_;
  bool is_store_gone_ = false;
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_JUDGEMENT_H_
