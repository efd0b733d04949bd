#include "spion/collective/team.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/collective/device_group.h"
#include "spion/collective/gloo_group.h"
#include "spion/platform/device.h"

namespace spion {
namespace {

constexpr std::chrono::minutes kMeetingPatience(5);
// For a rank that lives but does not come: rank 0 may write a state to a slow disk meanwhile. Of a
// rank that is lost the watch tells within seconds.
constexpr std::chrono::minutes kCallPatience(10);

using StorePointer = c10::intrusive_ptr<c10d::Store>;

StorePointer OpenStore(const Launch& launch, bool serves) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(launch.port);
  options.isServer = serves;
  options.waitWorkers = false;
  options.timeout = kMeetingPatience;
  return c10::make_intrusive<c10d::PrefixStore>(
      absl::StrCat("spion/", launch.attempt),
      c10::make_intrusive<c10d::TCPStore>(launch.address, options));
}

std::string HostName() {
  constexpr size_t kLongest = 256;
  std::array<char, kLongest> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

absl::Status Team::Connect(const Launch& launch, c10::Device device) {
  const DeviceGroupMaker make_device_group =
      device.is_cpu() ? nullptr : FindDeviceGroup(device.type());
  if (!device.is_cpu() && make_device_group == nullptr) {
    return absl::FailedPreconditionError(
        "this program was built without NCCL, over which ranks on GPUs meet: build it where "
        "LibTorch is the wheel torch with CUDA; --device=cpu runs without");
  }
  const std::string host = HostName();
  const StorePointer store = OpenStore(launch, launch.rank == 0 && !launch.is_store_served);
  RankWatchOptions options;
  options.store_owner =
      launch.is_store_served ? "the launcher" : absl::StrCat("rank 0 of ", launch.ranks);
  watch_ = std::make_unique<RankWatch>(OpenStore(launch, /*serves=*/false), launch.rank,
                                       launch.ranks, host, options);
  watch_->Meet(kMeetingPatience);
  const auto part_of_store = [&](const char* prefix) {
    return c10::make_intrusive<c10d::PrefixStore>(prefix, store);
  };
  group_ = MakeGlooGroup(part_of_store("cpu"), launch.rank, launch.ranks, kCallPatience);
  if (make_device_group != nullptr) {
    group_ = make_device_group(part_of_store("device"), device, kCallPatience, std::move(group_));
  }
  const nlohmann::json mine = {host, device.str(), DeviceName(device)};
  for (const std::string& text : group_->Gather(mine.dump())) {
    const nlohmann::json place = nlohmann::json::parse(text);
    places_.push_back({.host = place.at(0), .device = place.at(1), .device_name = place.at(2)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Team>> Team::Join(const Launch& launch, c10::Device device) {
  std::unique_ptr<Team> team(new Team);
  if (launch.ranks == 1) {
    team->group_ = std::make_unique<Alone>();
    return team;
  }
  std::string obstacle;
  try {
    RETURN_IF_ERROR(team->Connect(launch, device));
    return team;
  } catch (const c10::Error& error) {
    obstacle = error.what_without_backtrace();
  } catch (const std::exception& error) {
    obstacle = error.what();
  }
  const absl::Status failed = absl::UnavailableError(absl::StrCat(
      "cannot meet the other ranks at ", launch.address, ":", launch.port, ": ", obstacle));
  team->Fail(std::string(failed.message()));  // the others may be there, and wait
  return failed;
}

void Team::Tell(int64_t step, const std::string& state) {
  if (watch_ != nullptr) watch_->Tell(step, state);
}

void Team::Fail(const std::string& reason) {
  if (watch_ != nullptr) watch_->Fail(reason);
}

void Team::Blame(const std::string& what) {
  if (watch_ != nullptr) watch_->Blame(what);
}

// In this order: nobody watches any more when rank 0 and its store go.
void Team::Leave() {
  if (watch_ == nullptr) return;
  group_->Barrier();
  watch_->Leave();
  group_->Barrier();
}

}  // namespace spion
