// Writing files so that nobody ever sees half of one, and lines of logs.
//
//   RETURN_IF_ERROR(WriteFileAtomically("summary.json", text));
//
//   ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create("basic_train.tsv"));
//   for (const std::string& line : lines) RETURN_IF_ERROR(file.Append(line));
//   RETURN_IF_ERROR(file.Commit());
//
//   RETURN_IF_ERROR(AppendLine("metrics.jsonl", line));
#ifndef SPION_BASE_FILE_H_
#define SPION_BASE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spion {

/// A file that is written piece by piece under the name `path + ".partial"` and appears as `path`
/// when all of it is on the disk. Destroyed before that, it leaves nothing, and `path` as it was.
/// Errors: the operating system's, naming the file; after one, only destroy it.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) = delete;
  ~AtomicFile();

  /// Collects small pieces in memory, so that a piece may be as short as you like.
  absl::Status Append(absl::string_view content);
  /// Flushes the content so far to the disk. For whoever commits several files together: after it,
  /// hardly anything is left to go wrong.
  absl::Status Flush();
  /// Flushes, and gives the file its name. At most once, and last.
  absl::Status Commit();

  const std::string& path() const { return path_; }

 private:
  AtomicFile(std::string path, int descriptor);
  std::string partial() const;
  absl::Status Write(absl::string_view content);

  std::string path_;
  int descriptor_;  // -1: committed or moved from.
  std::string pending_;
};

/// Writes `content` to `path + ".partial"`, flushes it to the disk and renames it to `path`.
/// Errors: the operating system's, naming the file; `path` is then as it was.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content);

/// Writes `line` and a newline at the end of the file, made if need be; they are in it when the
/// call returns. Errors: the operating system's, naming the file.
absl::Status AppendLine(const std::string& path, absl::string_view line);

}  // namespace spion

#endif  // SPION_BASE_FILE_H_
