#include "spion/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

absl::Status SystemError(absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", action, " ", path));
}

absl::Status WriteAll(int file, absl::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", path);
    content.remove_prefix(written);
  }
  return fsync(file) == 0 ? absl::OkStatus() : SystemError("flush", path);
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content) {
  const std::string partial = absl::StrCat(path, ".partial");
  const int file = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return SystemError("create", partial);
  absl::Cleanup remove_partial = [&] { unlink(partial.c_str()); };
  {
    absl::Cleanup close_file = [&] { close(file); };
    RETURN_IF_ERROR(WriteAll(file, content, partial));
  }
  if (rename(partial.c_str(), path.c_str()) != 0) return SystemError("rename to", path);
  std::move(remove_partial).Cancel();
  return absl::OkStatus();
}

}  // namespace spion
