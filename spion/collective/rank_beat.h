// What a rank tells the others, again and again, and how it lies in the store that all see.
//
//   TellBeat(mine, rank, store);
//   const std::vector<RankBeat> all = BeatsOf(ranks, store);
#ifndef SPION_COLLECTIVE_RANK_BEAT_H_
#define SPION_COLLECTIVE_RANK_BEAT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace c10d {
class Store;
}

namespace spion {

struct RankBeat {
  int64_t count = 0;
  int64_t step = 0;
  std::string host = "";
  std::string state = "";    // from which the run could go on; "": not known
  std::string failure = "";  // why it ends, if it does
  std::string verdict = "";  // why it holds that all have to end
  bool is_done = false;
};

/// In place of what the rank told before; bytes that are not UTF-8 are written as %XX. Like the
/// others throws what the store throws.
void TellBeat(const RankBeat& beat, int rank, c10d::Store& store);

bool HasTold(int rank, c10d::Store& store);

/// Of one rank, or by one call to the store of all; they must have told something, else the store
/// waits for it. Throws nlohmann::json::exception where it is no beat.
RankBeat BeatOf(int rank, c10d::Store& store);
std::vector<RankBeat> BeatsOf(int ranks, c10d::Store& store);

/// "rank 1 of 4 on gpu02", without the host where the beat does not tell it.
std::string RankName(int rank, int ranks, const RankBeat& beat);

/// "rank 1 of 4 on gpu02: no space left": why the beat says that the rank ends.
std::string RankFailure(int rank, int ranks, const RankBeat& beat);

}  // namespace spion

#endif  // SPION_COLLECTIVE_RANK_BEAT_H_
