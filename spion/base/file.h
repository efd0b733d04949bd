// Writing files so that nobody ever sees half of one, and lines of logs.
//
//   RETURN_IF_ERROR(WriteFileAtomically("summary.json", text));
//
//   ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create("basic_train.tsv"));
//   for (const std::string& line : lines) RETURN_IF_ERROR(file.Append(line));
//   RETURN_IF_ERROR(file.Commit());
//
//   RETURN_IF_ERROR(AppendLine("metrics.jsonl", line));
//
// A file is given by its path or by its place in an open folder (folder.h).
#ifndef SPION_BASE_FILE_H_
#define SPION_BASE_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/descriptor.h"
#include "spion/base/folder.h"

namespace spion {

/// A file that is written piece by piece under its name and ".partial", and appears in its place
/// when all of it is on the disk. Destroyed before that, it leaves nothing, and the place as it
/// was. Errors: the operating system's, naming the file; CheckReplaceable's; after one, only
/// destroy it.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const FilePlace& place);
  AtomicFile(AtomicFile&& other) = default;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  /// Collects small pieces in memory, so that a piece may be as short as you like.
  absl::Status Append(absl::string_view content);
  /// Over what was appended, which has so many bytes from byte `at` on.
  absl::Status Replace(int64_t at, absl::string_view content);
  /// Flushes the content so far to the disk. For whoever commits several files together: after it,
  /// hardly anything is left to go wrong.
  absl::Status Flush();
  /// Flushes, and gives the file its name. At most once, and last.
  absl::Status Commit();

  std::string path() const { return place_.path(); }

 private:
  AtomicFile(const FilePlace& place, Descriptor descriptor);
  absl::Status WritePending();

  FilePlace place_;
  FilePlace partial_;
  Descriptor descriptor_;  // of the partial file; none when moved from
  bool is_committed_ = false;
  std::string pending_;
};

/// Writes `content` under the file's name and ".partial", flushes it to the disk and renames it.
/// Errors: the operating system's and CheckReplaceable's, naming the file, which is then as it was.
absl::Status WriteFileAtomically(const FilePlace& place, absl::string_view content);

/// Writes `line` and a newline at the end of the file, made if need be; they are in it when the
/// call returns. Errors: the operating system's, naming the file, which then has nothing of the
/// line.
absl::Status AppendLine(const FilePlace& place, absl::string_view line);

/// FailedPrecondition, naming the file, if it is a folder, or a device, a pipe or a socket, itself
/// or behind a link: a file that is renamed to one of those would replace it, and nobody would read
/// what was written.
absl::Status CheckReplaceable(const FilePlace& place);

/// An absent one is fine. Errors: the operating system's, naming the file.
absl::Status RemoveFile(const FilePlace& place);

/// Errors: the operating system's, naming the file.
absl::StatusOr<int64_t> FileSize(const FilePlace& place);

/// Brings what is in the file to the disk; an absent one is fine. Errors: the operating system's,
/// naming the file.
absl::Status FlushFile(const FilePlace& place);

/// Leaves the first `bytes` of the file, on the disk when the call returns. Errors: the operating
/// system's, naming the file; DataLoss if it has fewer.
absl::Status CutFile(const FilePlace& place, int64_t bytes);

}  // namespace spion

#endif  // SPION_BASE_FILE_H_
