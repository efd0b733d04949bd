// How the ranks of a run meet in a store: each is let in once, waits until all are there, and hears
// of one that fails before they are.
//
//   RankMeeting meeting(store, rank, ranks, beat, options);
//   meeting.Wait(std::chrono::minutes(5));
#ifndef SPION_COLLECTIVE_RANK_MEETING_H_
#define SPION_COLLECTIVE_RANK_MEETING_H_

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <string>

#include "absl/time/time.h"
#include "spion/collective/rank_beat.h"
#include "spion/collective/rank_watch_options.h"

namespace c10d {
class Store;
}

namespace spion {

class RankMeeting {
 public:
  /// Tells the store that this rank is there, by its first beat. Of the options, which must have a
  /// function `say`, it keeps a copy. Throws c10::Error, also where a rank of this number has told
  /// this store so before.
  RankMeeting(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks, const RankBeat& mine,
              RankWatchOptions options);

  /// As RankWatch::Meet, without the watch.
  void Wait(std::chrono::milliseconds longest);

  /// This rank fails before all have met, as `mine` says: tells those who have come and those who
  /// come within `patience`. Returns what there is to say then; "" where it is said, by rank 0 or
  /// this one.
  std::string Fail(const RankBeat& mine);

 private:
  void CheckNobodyFailed();
  std::string Missing();
  void SayWhoIsMissing(absl::Time end);

  const c10::intrusive_ptr<c10d::Store> store_;
  const int rank_;
  const int ranks_;
  const std::string name_;
  const RankWatchOptions options_;
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_MEETING_H_
