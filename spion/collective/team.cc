#include "spion/collective/team.h"

#include <c10/util/Logging.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/base/host_name.h"
#include "spion/base/json_text.h"
#include "spion/base/status.h"
#include "spion/collective/device_group.h"
#include "spion/collective/gloo_group.h"
#include "spion/collective/waiting_note.h"
#include "spion/platform/device.h"

namespace spion {
namespace {

constexpr std::chrono::minutes kMeetingPatience(5);
// Before a rank says that it waits for the store; who waits for the others is the watch's to say.
constexpr std::chrono::seconds kQuiet(10);
// To tell the others that this rank fails: rank 0, which they meet at, may not be there yet.
constexpr std::chrono::seconds kTellingPatience(30);
// For a rank that lives but does not come: rank 0 may write a state to a slow disk meanwhile. Of a
// rank that is lost the watch tells within seconds.
constexpr std::chrono::minutes kCallPatience(10);

using StorePointer = c10::intrusive_ptr<c10d::Store>;

std::string AddressOf(const Launch& launch) {
  return absl::StrCat(launch.address, ":", launch.port);
}

std::string OwnerOfStore(const Launch& launch) {
  return launch.is_store_served ? "the launcher" : absl::StrCat("rank 0 of ", launch.ranks);
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Of c10's, behind whose first line stand stack frames.
std::string TextOf(const std::exception& error) {
  const auto* of_c10 = dynamic_cast<const c10::Error*>(&error);
  return FirstLine(of_c10 != nullptr ? of_c10->what_without_backtrace() : error.what());
}

// LibTorch logs with stack frames what the errors here say in words. The user's own choice stands.
void LogFrom(int severity) {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = severity;
}

// A host's own name may take a while to be known, too.
std::string NoteOfServer(const Launch& launch, absl::Time end) {
  return absl::StrCat("note: rank 0 of ", launch.ranks, ", which serves the store, does not reach ",
                      "itself at ", AddressOf(launch), "; is that an address of ", HostName(),
                      "? It tries until ",
                      absl::FormatTime("%H:%M:%S", end, absl::LocalTimeZone()));
}

std::string NoteOf(const Launch& launch, bool serves, absl::Time end) {
  if (serves) return NoteOfServer(launch, end);
  return WaitingNote(absl::StrCat("rank ", launch.rank, " of ", launch.ranks), AddressOf(launch),
                     OwnerOfStore(launch), end);
}

// TCPStore takes a timeout for each of its attempts, and makes another after it: short ones come to
// an end in time. Who serves the store reaches it as all others do.
c10::intrusive_ptr<c10d::TCPStore> JoinStore(const Launch& launch, c10d::TCPStoreOptions options,
                                             std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kAttempt = std::chrono::seconds(10);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  options.timeout = std::min(kAttempt, patience);
  // Errors are of attempts; the last one is told.
  LogFrom(c10::GLOG_FATAL);
  const absl::Cleanup log_errors_again = [] { LogFrom(c10::GLOG_ERROR); };
  for (;;) {
    try {
      auto store = c10::make_intrusive<c10d::TCPStore>(launch.address, options);
      store->setTimeout(patience);
      return store;
    } catch (const std::exception& error) {
      const std::string why = TextOf(error);
      if (absl::StrContains(why, "failed to listen")) throw std::runtime_error(why);
      if (absl::StrContains(why, "Ping failed")) {
        throw std::runtime_error(absl::StrCat("something else listens there (", why, ")"));
      }
      if (std::chrono::steady_clock::now() < deadline) continue;
      const std::string waited = absl::FormatDuration(absl::FromChrono(patience));
      throw std::runtime_error(
          options.isServer
              ? absl::StrCat("rank 0 of ", launch.ranks, ", which serves the store, did not reach ",
                             "itself there for ", waited, "; the address must be one of ",
                             HostName(), ": ", why)
              : absl::StrCat(OwnerOfStore(launch), " was not there for ", waited,
                             ", or the address is wrong: ", why));
    }
  }
}

StorePointer OpenStore(const Launch& launch, bool serves, std::chrono::milliseconds patience) {
  const LateNote note(kQuiet, NoteOf(launch, serves, absl::Now() + absl::FromChrono(patience)));
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(launch.port);
  options.isServer = serves;
  options.waitWorkers = false;
  return c10::make_intrusive<c10d::PrefixStore>(absl::StrCat("spion/", launch.attempt),
                                                JoinStore(launch, options, patience));
}

// Why this rank cannot be part of the run, before any of the others is met.
absl::Status Obstacle(const absl::StatusOr<c10::Device>& device) {
  if (!device.ok()) return device.status();
  if (device->is_cpu() || FindDeviceGroup(device->type()) != nullptr) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this program was built without NCCL, over which ranks on GPUs meet: build it where LibTorch "
      "is the wheel torch with CUDA; --device=cpu runs without");
}

std::string KeyOfPlace(int rank) { return absl::StrCat("place/", rank); }

void TellPlace(const RankPlace& place, int rank, c10d::Store& store) {
  store.set(KeyOfPlace(rank),
            JsonText(nlohmann::json({place.host, place.device, place.device_name})));
}

// What each rank has told.
std::vector<RankPlace> PlacesOf(int ranks, c10d::Store& store) {
  std::vector<std::string> keys;
  keys.reserve(ranks);
  for (int rank = 0; rank < ranks; ++rank) keys.push_back(KeyOfPlace(rank));
  std::vector<RankPlace> places;
  for (const std::vector<uint8_t>& text : store.multiGet(keys)) {
    const nlohmann::json place = nlohmann::json::parse(text);
    places.push_back({.host = place.at(0), .device = place.at(1), .device_name = place.at(2)});
  }
  return places;
}

}  // namespace

absl::Status CheckOneKind(const std::vector<RankPlace>& places) {
  std::map<std::string, std::vector<std::string>> ranks_of;  // by the kind of their device
  for (size_t rank = 0; rank < places.size(); ++rank) {
    const std::string& device = places[rank].device;
    ranks_of[device.substr(0, device.find(':'))].push_back(
        absl::StrCat("rank ", rank, " on ", places[rank].host));
  }
  if (ranks_of.size() <= 1) return absl::OkStatus();
  std::vector<std::string> kinds;
  kinds.reserve(ranks_of.size());
  for (const auto& [kind, ranks] : ranks_of) {
    kinds.push_back(absl::StrCat(kind, " has ", absl::StrJoin(ranks, ", ")));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the ranks are on different kinds of device: ", absl::StrJoin(kinds, "; "),
                   ". Start all with the same --device, where all have a GPU or on the CPU"));
}

absl::Status Team::Connect(const Launch& launch, const absl::StatusOr<c10::Device>& device) {
  const absl::Status obstacle = Obstacle(device);
  const auto patience =
      obstacle.ok() ? std::chrono::milliseconds(kMeetingPatience) : kTellingPatience;
  store_ = OpenStore(launch, launch.rank == 0 && !launch.is_store_served, patience);
  RankPlace mine = {.host = HostName(), .device = "", .device_name = ""};
  RankWatchOptions options;
  options.quiet = kQuiet;
  options.store_owner = OwnerOfStore(launch);
  options.store_address = AddressOf(launch);
  if (obstacle.ok()) {
    mine.device = device->str();
    mine.device_name = DeviceName(*device);
    TellPlace(mine, launch.rank, *store_);  // who is seen by the watch has told it
  }
  watch_ = std::make_unique<RankWatch>(OpenStore(launch, /*serves=*/false, patience), launch.rank,
                                       launch.ranks, mine.host, options);
  RETURN_IF_ERROR(obstacle);
  watch_->Meet(kMeetingPatience);
  places_ = PlacesOf(launch.ranks, *store_);
  RETURN_IF_ERROR(CheckOneKind(places_));
  const auto part_of_store = [&](const char* prefix) {
    return c10::make_intrusive<c10d::PrefixStore>(prefix, store_);
  };
  group_ = MakeGlooGroup(part_of_store("cpu"), launch.rank, launch.ranks, kCallPatience);
  if (!device->is_cpu()) {
    group_ = FindDeviceGroup(device->type())(part_of_store("device"), *device, kCallPatience,
                                             std::move(group_));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Team>> Team::Join(const Launch& launch,
                                                 const absl::StatusOr<c10::Device>& device) {
  std::unique_ptr<Team> team(new Team);
  if (launch.ranks == 1) {
    RETURN_IF_ERROR(device.status());
    team->group_ = std::make_unique<Alone>();
    return team;
  }
  LogFrom(c10::GLOG_ERROR);
  std::string obstacle;
  try {
    const absl::Status connected = team->Connect(launch, device);
    if (connected.ok()) return team;
    team->Fail(std::string(connected.message()));
    return connected;
  } catch (const std::exception& error) {
    obstacle = TextOf(error);
  }
  // Whatever hinders a rank that fails from telling the others, its own error is what matters.
  RETURN_IF_ERROR(Obstacle(device));
  const absl::Status failed = absl::UnavailableError(
      absl::StrCat("cannot meet the other ranks at ", AddressOf(launch), ": ", obstacle));
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

// Watched until all have come here, and the last thing that they need each other for.
void Team::Leave() {
  if (watch_ == nullptr) return;
  group_->Barrier();
  watch_->Leave();
}

}  // namespace spion
