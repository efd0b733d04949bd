#include "experiments/ranks.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"
#include "spion/collective/rank_threads.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

// Of rank 1 as `change` leaves it: what all three ranks are told is the same.
void ExpectTold(void (*change)(Json&), absl::string_view expected) {
  RunRanks(3, [&](Group& group) {
    Json manifest = {{"seed", 7}, {"git_commit", "c0ffee"}, {"git_dirty", false}};
    manifest["device_name"] = group.leads() ? "one GPU" : "another";
    if (group.rank() == 1) change(manifest);
    EXPECT_EQ(CheckOneRun(manifest, group).message(), expected) << group.rank();
  });
}

TEST(CheckOneRunTest, TakesOneProgramOnSeveralDevices) {
  ExpectTold([](Json& /*manifest*/) {}, "");
}

TEST(CheckOneRunTest, NamesTheRankAndWhatIsOtherThere) {
  ExpectTold(
      [](Json& manifest) { manifest["seed"] = 8; },
      "not all ranks were started for the run of rank 0 (\"there\"): rank 1: seed 7 there, 8 "
      "here. Start all with one program, command and data");
}

TEST(CheckOneRunTest, RefusesAnotherBuild) {
  ExpectTold(
      [](Json& manifest) {
        manifest["seed"] = 8;
        manifest["git_dirty"] = true;
      },
      "not all ranks were started for the run of rank 0 (\"there\"): rank 1: seed 7 there, 8 here; "
      "the commit \"c0ffee\" there, \"c0ffee with changes\" here. Start all with one program, "
      "command and data");
}

}  // namespace
}  // namespace spion
