#include "spion/run/resume.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "spion/base/file.h"
#include "spion/base/json.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"
#include "spion/run/journal.h"
#include "spion/train/trainer.h"

namespace spion {
namespace {

using Json = nlohmann::ordered_json;

// What makes a run the one that it is, of a manifest; objects key by key.
constexpr const char* kIdentity[] = {"task",      "method",  "preset",           "seed",
                                     "precision", "model",   "hyper_parameters", "data",
                                     "device",    "threads", "patterns"};

// What may change from one process of a run to the next, and is said.
constexpr char kCommit[] = "git_commit";
constexpr std::pair<const char*, const char*> kSaid[] = {
    {kCommit, "the commit"},
    {"torch_version", "LibTorch"},
    {"cuda_version", "CUDA"},
    {"device_name", "the device"},
};

// From what cannot be read.
constexpr char kWayOut[] =
    "; the same command without --resume starts the run anew, and keeps what is there";

Json ValueOf(const Json& json, const std::string& key) {
  return json.is_object() ? json.value(key, Json()) : Json();
}

// Files are the same by their sum wherever they lie; generated data by what they are called.
Json DataOf(const Json& manifest) {
  const Json source = ValueOf(manifest, "data_source");
  if (!source.is_object()) return Json();
  const bool is_generated = ValueOf(source, "generated") == true;
  return {{"generated", is_generated},
          {is_generated ? "description" : "sha256",
           ValueOf(source, is_generated ? "description" : "sha256")}};
}

// "cuda" of "cuda:0".
Json DeviceKind(const Json& manifest) {
  Json device = ValueOf(manifest, "device");
  if (!device.is_string()) return device;
  const std::string text = device.get<std::string>();
  return text.substr(0, text.find(':'));
}

Json IdentityOf(const Json& manifest, const std::string& key) {
  if (key == "data") return DataOf(manifest);
  if (key == "device") return DeviceKind(manifest);
  if (key == "patterns" && manifest.contains(key)) return ValueOf(manifest[key], "sha256");
  return ValueOf(manifest, key);
}

// Of given patterns whose file is gone the sum is not known.
bool IsOfLostPatterns(const Json& there, const Json& here) {
  return there.is_string() && here.is_string() && (there == "" || here == "");
}

// Changes that are not committed are told of, but not what they are.
Json SaidOf(const Json& manifest, const char* key) {
  Json value = ValueOf(manifest, key);
  const bool has_changes = key == kCommit && ValueOf(manifest, "git_dirty") == true;
  if (!has_changes || !value.is_string()) return value;
  return absl::StrCat(value.get<std::string>(), " with changes");
}

// A switch that an earlier version did not have was not on.
bool IsSwitchThatWasNot(const Json& there, const Json& here) {
  return there.is_null() && here == false;
}

void AddDifferences(const std::string& name, const Json& there, const Json& here,
                    std::vector<std::string>& differences) {
  if (there.is_object() && here.is_object()) {
    for (const auto& [key, value] : here.items()) {
      AddDifferences(absl::StrCat(name, ".", key), ValueOf(there, key), value, differences);
    }
    for (const auto& [key, value] : there.items()) {
      if (!here.contains(key)) {
        AddDifferences(absl::StrCat(name, ".", key), value, Json(), differences);
      }
    }
    return;
  }
  if (there == here || IsSwitchThatWasNot(there, here)) return;
  differences.push_back(absl::StrCat(name, " ", there.dump(), " there, ", here.dump(), " here"));
}

absl::StatusOr<Json> ReadJson(const RunDirectory& run, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(run.File(name)));
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return absl::DataLossError(absl::StrCat(run.File(name).path(), " is no JSON object", kWayOut));
}

bool IsListOfParts(const Json& json) {
  return json.is_array() && !json.empty() &&
         std::all_of(json.begin(), json.end(), [](const Json& part) { return part.is_object(); });
}

Json PartOf(const Json& manifest, int64_t step) {
  Json part = {{"step", step}};
  for (const char* key : {"date", "command", "device_name", "cpu", "git_commit", "git_dirty",
                          "torch_version", "cuda_version"}) {
    part[key] = ValueOf(manifest, key);
  }
  if (manifest.contains("ranks")) part["ranks"] = manifest["ranks"];
  return part;
}

}  // namespace

std::vector<std::string> BuildDifferences(const Json& there, const Json& here) {
  std::vector<std::string> differences;
  for (const auto& [key, name] : kSaid) {
    if (key == absl::string_view("device_name")) continue;
    AddDifferences(name, SaidOf(there, key), SaidOf(here, key), differences);
  }
  return differences;
}

std::vector<std::string> RunDifferences(const Json& there, const Json& here) {
  std::vector<std::string> differences;
  for (const char* key : kIdentity) {
    // Several ranks add up in another order anyway.
    const bool adds_otherwise = there.contains("ranks") || here.contains("ranks");
    if (adds_otherwise && key == absl::string_view("threads")) continue;
    const Json before = IdentityOf(there, key);
    const Json now = IdentityOf(here, key);
    if (IsOfLostPatterns(before, now)) continue;
    AddDifferences(key, before, now, differences);
  }
  return differences;
}

absl::Status UnusableState(const absl::Status& why, const RunDirectory& run) {
  if (!absl::IsDataLoss(why)) return why;
  const std::string state = run.File(kStateFileName).path();
  const FilePlace stopped = run.File(ModelFileName(SavedModel::kInterrupted, Phase::kDense));
  const bool is_named = absl::StartsWith(why.message(), state);
  return absl::DataLossError(absl::StrCat(
      is_named ? "" : absl::StrCat(state, ": "), why.message(), kWayOut,
      FileSize(stopped).ok()
          ? absl::StrCat("; the model of when it was stopped, ", stopped.path(), ", may be whole")
          : ""));
}

absl::StatusOr<Resumption> LookAtEarlierRun(const RunDirectory& run, const Json& manifest) {
  absl::StatusOr<Json> written = ReadJson(run, kManifestFileName);
  if (absl::IsNotFound(written.status())) {
    if (FileSize(run.File(kStateFileName)).ok()) {
      return absl::DataLossError(absl::StrCat(run.File(kManifestFileName).path(),
                                              " is missing, though there is a state; bring it back",
                                              kWayOut));
    }
    return Resumption();  // it ended before its first step
  }
  if (!written.ok()) return written.status();
  Json earlier = *std::move(written);
  const std::vector<std::string> differences = RunDifferences(earlier, manifest);
  if (!differences.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "--resume: ", run.path(), " holds another run: ", absl::StrJoin(differences, "; "),
        ". Give the settings that it has, or another --out_dir; without --resume a run starts "
        "anew, and the one that is there is kept"));
  }
  Resumption resumption;
  const absl::StatusOr<Json> summary = ReadJson(run, kSummaryFileName);
  if (summary.ok()) {
    resumption.summary = *summary;
    return resumption;
  }
  if (!absl::IsNotFound(summary.status())) return summary.status();
  absl::StatusOr<TrainingState> state = LoadState(run.File(kStateFileName));
  int64_t step = 0;
  if (state.ok()) {
    const absl::StatusOr<int64_t> done = StepOf(*state);
    if (!done.ok()) return UnusableState(done.status(), run);
    step = *done;
    resumption.state = *std::move(state);
  } else if (!absl::IsNotFound(state.status())) {
    return UnusableState(state.status(), run);
  }
  const Json parts = ValueOf(earlier, "resumed");
  if (!parts.is_null() && !IsListOfParts(parts)) {
    return absl::DataLossError(absl::StrCat(run.File(kManifestFileName).path(),
                                            ": \"resumed\" is no list of the run's parts",
                                            kWayOut));
  }
  const Json& last = parts.is_null() ? earlier : parts.back();
  for (const auto& [key, name] : kSaid) {
    const Json before = SaidOf(last, key);
    const Json now = SaidOf(manifest, key);
    if (before == now) continue;
    resumption.notes.push_back(
        absl::StrCat("note: ", name, " was ", before.dump(), ", now ", now.dump()));
  }
  earlier["resumed"].push_back(PartOf(manifest, step));
  resumption.manifest = std::move(earlier);
  return resumption;
}

}  // namespace spion
