// This process's part in a run of one rank or several: the group, and the watch over it.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Team> team, Team::Join(launch, device));
//   team->group().Mean(gradient);
//   team->Tell(step, state);
//   team->Leave();                         // at the end: all have done their part
#ifndef SPION_COLLECTIVE_TEAM_H_
#define SPION_COLLECTIVE_TEAM_H_

#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/collective/group.h"
#include "spion/collective/launch.h"
#include "spion/collective/rank_watch.h"

namespace spion {

/// Where a rank runs.
struct RankPlace {
  std::string host;
  std::string device;       // "cuda:1"
  std::string device_name;  // "NVIDIA H200"
};

/// Whether all are on CPUs, or all on GPUs, as only such can be connected. Errors:
/// FailedPrecondition, naming which rank has what.
absl::Status CheckOneKind(const std::vector<RankPlace>& places);

class Team {
 public:
  /// Meets the other ranks, within five minutes, and connects the devices. After ten seconds one of
  /// those that wait says so on stderr. `device`: or why this rank has none, which the others learn
  /// too, and rank 0 says at once. Errors: that one; Unavailable where the others do
  /// not come, naming the address, the ranks that are missing, or the one that failed;
  /// FailedPrecondition where this program has no group for the device, or where the ranks have
  /// different kinds of device, naming them. As Fail, if this rank could tell the others already.
  static absl::StatusOr<std::unique_ptr<Team>> Join(const Launch& launch,
                                                    const absl::StatusOr<c10::Device>& device);

  Group& group() { return *group_; }
  /// Of all ranks; empty where there is one alone.
  const std::vector<RankPlace>& places() const { return places_; }

  /// As RankWatch's; nothing where there is one rank alone.
  void Tell(int64_t step, const std::string& state);
  void Fail(const std::string& reason);
  void Blame(const std::string& what);

  /// Waits until all ranks have done their part. Throws as the group.
  void Leave();

 private:
  Team() = default;
  absl::Status Connect(const Launch& launch, const absl::StatusOr<c10::Device>& device);

  c10::intrusive_ptr<c10d::Store> store_;  // rank 0 may serve it: kept as long as the watch
  std::unique_ptr<RankWatch> watch_;
  std::unique_ptr<Group> group_;
  std::vector<RankPlace> places_;
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_TEAM_H_
