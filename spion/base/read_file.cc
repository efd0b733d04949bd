#include "spion/base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>

#include "absl/strings/str_cat.h"
#include "spion/base/descriptor.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr size_t kLeastPieceBytes = size_t{1} << 12;

absl::Status CannotBeRead(const FilePlace& place) {
  return absl::ErrnoToStatus(errno, absl::StrCat(place.path(), " cannot be read"));
}

/// The file, opened, and its size in `size_bytes`.
absl::StatusOr<Descriptor> Open(const FilePlace& place, size_t& size_bytes) {
  struct stat found;
  // Looked at before it is opened: opening a pipe that nobody writes to would wait for ever.
  if (fstatat(place.folder(), place.name().c_str(), &found, 0) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return absl::NotFoundError(absl::StrCat(place.path(), " is missing"));
    }
    return CannotBeRead(place);
  }
  if (!S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(place.path(), S_ISDIR(found.st_mode) ? " is a folder" : " is no file",
                     ", a file was expected"));
  }
  Descriptor file(openat(place.folder(), place.name().c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat(place.path(), " cannot be opened"));
  }
  size_bytes = static_cast<size_t>(found.st_size);
  return file;
}

/// Reads up to `size` bytes to `to`, fewer only where the file ends.
absl::StatusOr<size_t> Read(const FilePlace& place, const Descriptor& file, char* to, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t more = read(file.number(), to + got, size - got);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return CannotBeRead(place);
    if (more == 0) break;
    got += static_cast<size_t>(more);
  }
  return got;
}

}  // namespace

absl::Status ReadFileInto(const FilePlace& place, std::string& bytes, int64_t most_bytes) {
  size_t size = 0;
  ASSIGN_OR_RETURN(const Descriptor file, Open(place, size));
  if (size > static_cast<size_t>(most_bytes)) {
    return absl::DataLossError(absl::StrCat(place.path(), " is too long: ", size, " bytes found, ",
                                            most_bytes, " expected at most"));
  }
  try {
    bytes.resize(size);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat(place.path(), " cannot be read: no memory for its ", size, " bytes"));
  }
  ASSIGN_OR_RETURN(const size_t got, Read(place, file, bytes.data(), size));
  bytes.resize(got);  // Less than `size` if someone cut the file in between.
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFile(const FilePlace& place, int64_t most_bytes) {
  std::string bytes;
  RETURN_IF_ERROR(ReadFileInto(place, bytes, most_bytes));
  return bytes;
}

absl::Status ReadFilePieces(const FilePlace& place,
                            absl::FunctionRef<absl::Status(absl::string_view piece)> take) {
  size_t size = 0;
  ASSIGN_OR_RETURN(const Descriptor file, Open(place, size));
  // Small for a small file; one that grows meanwhile is read all the same.
  std::string piece(std::clamp(size, kLeastPieceBytes, kPieceBytes), '\0');
  for (;;) {
    ASSIGN_OR_RETURN(const size_t got, Read(place, file, piece.data(), piece.size()));
    if (got == 0) return absl::OkStatus();
    RETURN_IF_ERROR(take(absl::string_view(piece).substr(0, got)));
  }
}

}  // namespace spion
