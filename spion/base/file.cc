#include "spion/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr char kPartialSuffix[] = ".partial";
constexpr size_t kPendingBytes = size_t{1} << 20;

absl::Status SystemError(absl::string_view action, const FilePlace& place) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", action, " ", place.path()));
}

absl::Status WriteAll(const Descriptor& file, const FilePlace& place, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(file.number(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("write", place);
    content.remove_prefix(written);
  }
  return absl::OkStatus();
}

// So that a new name, too, is on the disk. `place` is in the folder, or a path.
absl::Status FlushFolder(const FilePlace& place) {
  const size_t slash = place.name().rfind('/');
  const std::string parent = slash == std::string::npos ? "." : place.name().substr(0, slash + 1);
  const Descriptor folder(
      openat(place.folder(), parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system on which a folder cannot be flushed.
  if (folder.number() < 0 || (fsync(folder.number()) != 0 && errno != EINVAL)) {
    return SystemError("flush the folder of", place);
  }
  return absl::OkStatus();
}

Descriptor OpenToWrite(const FilePlace& place, int flags) {
  return Descriptor(
      openat(place.folder(), place.name().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
}

}  // namespace

absl::Status CheckReplaceable(const FilePlace& place) {
  struct stat found = {};
  const bool is_there = fstatat(place.folder(), place.name().c_str(), &found, 0) == 0;
  if (!is_there || S_ISREG(found.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot write ", place.path(), ": it is ",
      S_ISDIR(found.st_mode) ? "a folder"
                             : "a device, a pipe or a socket, which a file would replace",
      "; name a file"));
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const FilePlace& place) {
  RETURN_IF_ERROR(CheckReplaceable(place));
  const FilePlace partial = place.WithSuffix(kPartialSuffix);
  Descriptor descriptor = OpenToWrite(partial, O_TRUNC);
  if (descriptor.number() < 0) return SystemError("create", partial);
  return AtomicFile(place, std::move(descriptor));
}

AtomicFile::AtomicFile(const FilePlace& place, Descriptor descriptor)
    : place_(place),
      partial_(place.WithSuffix(kPartialSuffix)),
      descriptor_(std::move(descriptor)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_.number() < 0 || is_committed_) return;
  unlinkat(partial_.folder(), partial_.name().c_str(), 0);
}

absl::Status AtomicFile::Append(absl::string_view content) {
  if (pending_.size() + content.size() > kPendingBytes) RETURN_IF_ERROR(WritePending());
  if (content.size() > kPendingBytes) return WriteAll(descriptor_, partial_, content);
  absl::StrAppend(&pending_, content);
  return absl::OkStatus();
}

absl::Status AtomicFile::WritePending() {
  RETURN_IF_ERROR(WriteAll(descriptor_, partial_, pending_));
  pending_.clear();
  return absl::OkStatus();
}

absl::Status AtomicFile::Replace(int64_t at, absl::string_view content) {
  RETURN_IF_ERROR(WritePending());
  if (lseek(descriptor_.number(), at, SEEK_SET) < 0) return SystemError("write", partial_);
  RETURN_IF_ERROR(WriteAll(descriptor_, partial_, content));
  return lseek(descriptor_.number(), 0, SEEK_END) < 0 ? SystemError("write", partial_)
                                                      : absl::OkStatus();
}

absl::Status AtomicFile::Flush() {
  RETURN_IF_ERROR(WritePending());
  return fsync(descriptor_.number()) == 0 ? absl::OkStatus() : SystemError("flush", partial_);
}

absl::Status AtomicFile::Commit() {
  RETURN_IF_ERROR(Flush());
  if (renameat(partial_.folder(), partial_.name().c_str(), place_.folder(),
               place_.name().c_str()) != 0) {
    return SystemError("rename to", place_);
  }
  is_committed_ = true;
  return FlushFolder(place_);
}

absl::Status WriteFileAtomically(const FilePlace& place, absl::string_view content) {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(place));
  RETURN_IF_ERROR(file.Append(content));
  return file.Commit();
}

absl::Status AppendLine(const FilePlace& place, absl::string_view line) {
  const Descriptor file = OpenToWrite(place, O_APPEND);
  if (file.number() < 0) return SystemError("write", place);
  struct stat before = {};
  if (fstat(file.number(), &before) != 0) return SystemError("write", place);
  absl::Status written = WriteAll(file, place, absl::StrCat(line, "\n"));
  // A torn line would join the next one.
  if (!written.ok() && ftruncate(file.number(), before.st_size) != 0) {
    return SystemError("cut a torn line from", place);
  }
  return written;
}

absl::Status RemoveFile(const FilePlace& place) {
  const bool is_gone = unlinkat(place.folder(), place.name().c_str(), 0) == 0 || errno == ENOENT;
  return is_gone ? absl::OkStatus() : SystemError("remove", place);
}

absl::StatusOr<int64_t> FileSize(const FilePlace& place) {
  struct stat found = {};
  if (fstatat(place.folder(), place.name().c_str(), &found, 0) != 0) {
    return SystemError("look at", place);
  }
  return found.st_size;
}

absl::Status FlushFile(const FilePlace& place) {
  const Descriptor file(openat(place.folder(), place.name().c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemError("flush", place);
  }
  return fsync(file.number()) == 0 ? absl::OkStatus() : SystemError("flush", place);
}

absl::Status CutFile(const FilePlace& place, int64_t bytes) {
  const Descriptor file(
      openat(place.folder(), place.name().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.number() < 0) return SystemError("cut", place);
  struct stat found = {};
  if (fstat(file.number(), &found) != 0) return SystemError("cut", place);
  if (found.st_size < bytes) {
    return absl::DataLossError(
        absl::StrCat(place.path(), " has ", found.st_size, " bytes, expected at least ", bytes));
  }
  if (ftruncate(file.number(), bytes) != 0 || fsync(file.number()) != 0) {
    return SystemError("cut", place);
  }
  return absl::OkStatus();
}

}  // namespace spion
