#include "spion/run/free_space.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spion {
namespace {

constexpr double kMebibyte = 1 << 20;

}  // namespace

absl::Status CheckFreeSpace(const std::string& folder, int64_t bytes) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(folder, error).lexically_normal();
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) {
    place = place.parent_path();
  }
  if (access(place.c_str(), W_OK) != 0 && (errno == EACCES || errno == EROFS)) {
    return absl::PermissionDeniedError(absl::StrCat("nothing can be written into ", place.string(),
                                                    " (", std::generic_category().message(errno),
                                                    "), where the run's folder ", folder,
                                                    " is to be; name another --out_dir"));
  }
  const std::filesystem::space_info space = std::filesystem::space(place, error);
  if (error || space.available >= static_cast<uint64_t>(bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "%s has %.0f MiB free, and the run's models, states and logs may need %.0f MiB there; make "
      "room or name another --out_dir",
      place.string(), static_cast<double>(space.available) / kMebibyte,
      static_cast<double>(bytes) / kMebibyte));
}

}  // namespace spion
