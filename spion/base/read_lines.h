// Reads a text file line by line, however large it is.
//
//   Sha256 hash;
//   RETURN_IF_ERROR(ReadLines("basic_val.tsv", hash, [&](int64_t number, absl::string_view line) {
//     return line.empty() ? absl::DataLossError(absl::StrCat("line ", number, " is empty"))
//                         : absl::OkStatus();
//   }));
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
/// Errors: those of ReadFile (read_file.h); the first one that `take` gives, as it is, which ends
/// the reading.
absl::Status ReadLines(
    const std::string& path, Sha256& hash,
    absl::FunctionRef<absl::Status(int64_t number, absl::string_view line)> take);

}  // namespace spion

#endif  // SPION_BASE_READ_LINES_H_
