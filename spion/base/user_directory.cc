#include "spion/base/user_directory.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

constexpr char kVariable[] = "BUILD_WORKING_DIRECTORY";

}  // namespace

std::string UserDirectory() {
  const char* user = std::getenv(kVariable);
  return user != nullptr ? user : std::filesystem::current_path().string();
}

absl::Status EnterUserDirectory() {
  const char* user = std::getenv(kVariable);
  if (user == nullptr || chdir(user) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot go to ", kVariable, "=", user));
}

}  // namespace spion
