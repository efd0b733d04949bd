// Reads a text file line by line, however large it is.
//
//   Sha256 hash;
//   const auto take = [&](int64_t number, absl::string_view line) {
//     return line.empty() ? absl::DataLossError(absl::StrCat("line ", number, " is empty"))
//                         : absl::OkStatus();
//   };
//   RETURN_IF_ERROR(ReadLines("basic_val.tsv", /*most_bytes=*/1 << 20, hash, take));
#ifndef SPION_BASE_READ_LINES_H_
#define SPION_BASE_READ_LINES_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "spion/base/sha256.h"

namespace spion {

/// Calls `take` with the number (from 1) and the text of every line, in order. A line ends with
/// "\n" or "\r\n", which is no part of its text; the last one may end with the file. All bytes that
/// were read, line ends too, are added to `hash`.
/// Needs no more memory than a line of `most_bytes`, its end not counted, and one mebibyte.
/// Errors: those of ReadFilePieces (read_file.h); DataLoss, naming path and line, for a line that
/// is longer; the first one that `take` gives, as it is, which ends the reading.
absl::Status ReadLines(
    const std::string& path, int64_t most_bytes, Sha256& hash,
    absl::FunctionRef<absl::Status(int64_t number, absl::string_view line)> take);

}  // namespace spion

#endif  // SPION_BASE_READ_LINES_H_
