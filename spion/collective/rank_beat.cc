#include "spion/collective/rank_beat.h"

#include <nlohmann/json.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "absl/strings/str_cat.h"
#include "spion/base/json_text.h"

namespace spion {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RankBeat, count, step, host, state, failure, verdict, is_done)

namespace {

std::string KeyOf(int rank) { return absl::StrCat("beat/", rank); }

RankBeat Parsed(const std::vector<uint8_t>& text) {
  return nlohmann::json::parse(text).get<RankBeat>();
}

}  // namespace

void TellBeat(const RankBeat& beat, int rank, c10d::Store& store) {
  store.set(KeyOf(rank), JsonText(nlohmann::json(beat)));
}

bool HasTold(int rank, c10d::Store& store) { return store.check({KeyOf(rank)}); }

RankBeat BeatOf(int rank, c10d::Store& store) { return Parsed(store.get(KeyOf(rank))); }

std::vector<RankBeat> BeatsOf(int ranks, c10d::Store& store) {
  std::vector<std::string> keys;
  keys.reserve(ranks);
  for (int rank = 0; rank < ranks; ++rank) keys.push_back(KeyOf(rank));
  std::vector<RankBeat> beats;
  beats.reserve(ranks);
  for (const std::vector<uint8_t>& text : store.multiGet(keys)) beats.push_back(Parsed(text));
  return beats;
}

std::string RankName(int rank, int ranks, const RankBeat& beat) {
  return absl::StrCat("rank ", rank, " of ", ranks,
                      beat.host.empty() ? "" : absl::StrCat(" on ", beat.host));
}

std::string RankFailure(int rank, int ranks, const RankBeat& beat) {
  return absl::StrCat(RankName(rank, ranks, beat), ": ", beat.failure);
}

}  // namespace spion
