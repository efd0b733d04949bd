#include "spion/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr char kPartialSuffix[] = ".partial";
constexpr size_t kPendingBytes = size_t{1} << 20;

absl::Status SystemError(absl::string_view action, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", action, " ", path));
}

}  // namespace

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::string& path) {
  const std::string partial = absl::StrCat(path, kPartialSuffix);
  const int descriptor = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return SystemError("create", partial);
  return AtomicFile(path, descriptor);
}

AtomicFile::AtomicFile(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      pending_(std::move(other.pending_)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(partial().c_str());
}

std::string AtomicFile::partial() const { return absl::StrCat(path_, kPartialSuffix); }

absl::Status AtomicFile::Append(absl::string_view content) {
  if (pending_.size() + content.size() > kPendingBytes) {
    RETURN_IF_ERROR(Write(pending_));
    pending_.clear();
  }
  if (content.size() > kPendingBytes) return Write(content);
  absl::StrAppend(&pending_, content);
  return absl::OkStatus();
}

absl::Status AtomicFile::Write(absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor_, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", partial());
    content.remove_prefix(written);
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Flush() {
  RETURN_IF_ERROR(Write(pending_));
  pending_.clear();
  return fsync(descriptor_) == 0 ? absl::OkStatus() : SystemError("flush", partial());
}

absl::Status AtomicFile::Commit() {
  RETURN_IF_ERROR(Flush());
  if (rename(partial().c_str(), path_.c_str()) != 0) return SystemError("rename to", path_);
  close(std::exchange(descriptor_, -1));
  return absl::OkStatus();
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content) {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  RETURN_IF_ERROR(file.Append(content));
  return file.Commit();
}

absl::Status AppendLine(const std::string& path, absl::string_view line) {
  std::ofstream file(path, std::ios::app);
  file << line << '\n' << std::flush;
  return file ? absl::OkStatus() : SystemError("write", path);
}

}  // namespace spion
