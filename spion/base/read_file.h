// Reads a file, whole or piece by piece, or says why it could not.
//
//   ASSIGN_OR_RETURN(std::string bytes, ReadFile("/data/0.npy", /*most_bytes=*/1 << 24));
//
//   std::string bytes;  // Of many small files, one after the other: no allocation for each.
//   RETURN_IF_ERROR(ReadFileInto("/data/0_9.txt", bytes));
//
//   RETURN_IF_ERROR(ReadFilePieces("/data/pairs.tsv", [&](absl::string_view piece) {
//     return parser.Take(piece);
//   }));
//
// A file is given by its path or by its place in an open folder (folder.h). Reading one whole takes
// the most that the file's format can mean: a longer one is refused before any memory is taken.
// Errors of all three, each naming the path: NotFound if there is no file; FailedPrecondition if a
// folder or anything else but a file is there; otherwise what the system says (PermissionDenied,
// ...). Of those that read it whole also: DataLoss if it is longer than `most_bytes`;
// ResourceExhausted if it is not, but there is no memory for it.
#ifndef SPION_BASE_READ_FILE_H_
#define SPION_BASE_READ_FILE_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/folder.h"

namespace spion {

/// Of a file about which nothing is known: more than any that SPION writes.
inline constexpr int64_t kMostFileBytes = int64_t{1} << 32;

/// The content of the file.
absl::StatusOr<std::string> ReadFile(const FilePlace& place, int64_t most_bytes = kMostFileBytes);

/// Replaces `bytes` by the content of the file. On an error `bytes` is unspecified.
absl::Status ReadFileInto(const FilePlace& place, std::string& bytes,
                          int64_t most_bytes = kMostFileBytes);

/// Hands the content of the file to `take` in pieces of a mebibyte at most, in order, so
/// that a file of any size needs no more memory than that. No piece is empty; an empty file has
/// none. Stops at the first error of `take` and returns it.
absl::Status ReadFilePieces(const FilePlace& place,
                            absl::FunctionRef<absl::Status(absl::string_view piece)> take);

}  // namespace spion

#endif  // SPION_BASE_READ_FILE_H_
