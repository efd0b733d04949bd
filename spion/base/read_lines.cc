#include "spion/base/read_lines.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {

absl::Status ReadLines(
    const std::string& path, Sha256& hash,
    absl::FunctionRef<absl::Status(int64_t number, absl::string_view line)> take) {
  int64_t number = 0;
  const auto take_line = [&](absl::string_view line) {
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    return take(++number, line);
  };
  std::string begun;  // The part of a line that ends in a later part of the file.
  RETURN_IF_ERROR(ReadFilePieces(path, [&](absl::string_view part) -> absl::Status {
    hash.Update(part);
    for (size_t end; (end = part.find('\n')) != part.npos; part.remove_prefix(end + 1)) {
      if (begun.empty()) {
        RETURN_IF_ERROR(take_line(part.substr(0, end)));
      } else {
        absl::StrAppend(&begun, part.substr(0, end));
        RETURN_IF_ERROR(take_line(begun));
        begun.clear();
      }
    }
    absl::StrAppend(&begun, part);
    return absl::OkStatus();
  }));
  return begun.empty() ? absl::OkStatus() : take_line(begun);
}

}  // namespace spion
