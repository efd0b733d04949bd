#include "spion/run/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/host_name.h"
#include "spion/base/json.h"
#include "spion/base/read_file.h"

namespace spion {
namespace {

constexpr char kProgram[] = "SPION";

absl::Status SystemError(const FilePlace& place, absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(place.path(), " cannot be ", what));
}

// What a run signed; null if none did.
nlohmann::json Signature(const FilePlace& place) {
  const absl::StatusOr<std::string> text = ReadFile(place);
  if (!text.ok()) return nullptr;
  absl::StatusOr<nlohmann::json> signature = ParseJson(*text);
  const bool is_ours = signature.ok() && signature->is_object() &&
                       signature->value("program", nlohmann::json()) == kProgram;
  return is_ours ? *std::move(signature) : nullptr;
}

absl::Status HeldByAnother(const Folder& folder, const FilePlace& place) {
  const nlohmann::json signature = Signature(place);
  const auto text = [&](const char* key) {
    const nlohmann::json value = signature.value(key, nlohmann::json());
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  const std::string holder =
      signature.is_null()
          ? "a run that has just begun"
          : absl::StrCat("a run that goes on, process ", text("process"), " on ", text("host"));
  return absl::FailedPreconditionError(
      absl::StrCat(folder.path(), " belongs to ", holder,
                   "; wait for its end, or give another folder as --out_dir"));
}

}  // namespace

absl::StatusOr<RunLock> RunLock::Take(const Folder& folder) {
  const FilePlace place = folder.File(kName);
  Descriptor file(openat(place.folder(), place.name().c_str(),
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (file.number() < 0) return SystemError(place, "made");
  if (flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return HeldByAnother(folder, place);
    return SystemError(place,
                       "locked, which a run's folder must be: give one on a file system "
                       "with locks as --out_dir");
  }
  return RunLock(place, std::move(file));
}

absl::Status RunLock::Sign() const {
  const nlohmann::ordered_json signature = {
      {"program", kProgram}, {"host", HostName()}, {"process", getpid()}};
  const std::string text = signature.dump() + "\n";
  if (ftruncate(file_.number(), 0) != 0) return SystemError(place_, "written");
  const ssize_t written = pwrite(file_.number(), text.data(), text.size(), 0);
  if (written == static_cast<ssize_t>(text.size())) return absl::OkStatus();
  if (written >= 0) errno = ENOSPC;  // nothing else takes a part of so few bytes
  absl::Status error = SystemError(place_, "written");
  // Half of a signature would be taken for somebody's file.
  if (ftruncate(file_.number(), 0) != 0) return SystemError(place_, "cut");
  return error;
}

bool RunLock::IsSigned(const Folder& folder) { return !Signature(folder.File(kName)).is_null(); }

}  // namespace spion
