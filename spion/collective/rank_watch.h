// Sees to it that a run of several ranks ends when one of them is lost. Each rank tells a store
// that all see, once a second, that it lives and how far it is, and looks at what the others tell.
// Who has not been heard for `patience`, or says that it fails, is named, and this process ends:
// what waits for a lost rank on a device cannot be told to stop, and may not be torn down either.
//
//   RankWatch watch(store, rank, ranks, host);
//   watch.Tell(step, state);            // after each step
//   watch.Fail("no space left");        // and the others end, too
//
// A process that was stopped and goes on, the whole job with it, forgives the others their silence.
#ifndef SPION_COLLECTIVE_RANK_WATCH_H_
#define SPION_COLLECTIVE_RANK_WATCH_H_

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "spion/collective/rank_watch_options.h"

namespace c10d {
class Store;
}

namespace spion {

class RankWatch {
 public:
  /// Tells the store that this rank is there. The store is the watch's alone. Throws c10::Error,
  /// also where a rank of this number has told this store so before.
  RankWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int ranks, std::string host,
            const RankWatchOptions& options = {});
  /// As Leave.
  ~RankWatch();
  RankWatch(const RankWatch&) = delete;
  RankWatch& operator=(const RankWatch&) = delete;

  /// How long to wait for all ranks to be there, at most; from then on they are watched. After
  /// `quiet` the first rank of those that are there says whom they wait for. Throws c10::Error,
  /// naming those that are missing, or the one that failed before all had come.
  void Meet(std::chrono::milliseconds longest);

  /// After which step this rank is, and from which state the run could go on ("" : not known).
  void Tell(int64_t step, const std::string& state);

  /// This rank fails: says why, tells the others, ends. Where rank 0 fails for the same reason, it
  /// alone says it. Before Meet it is who is there, or comes within `patience`, that is told, and
  /// rank 0 has said it by then.
  void Fail(const std::string& reason);

  /// A call to the others failed, so one of them is lost or will say why it ends: waits until it is
  /// known which, then ends. Where it does not come to be known, the others are told so much.
  void Blame(const std::string& what);

  /// This rank has done its part, as all have: it need not be heard any more, and ends nothing any
  /// more. Rank 0, with which the store may go, stays until the others have left, for `patience` at
  /// most.
  void Leave();

 private:
  class Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_WATCH_H_
