#include "spion/base/read_lines.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {

absl::Status ReadLines(
    const std::string& path, int64_t most_bytes, Sha256& hash,
    absl::FunctionRef<absl::Status(int64_t number, absl::string_view line)> take) {
  int64_t number = 0;
  const auto too_long = [&] {
    return absl::DataLossError(absl::StrCat(path, ", line ", number + 1, ": longer than ",
                                            most_bytes, " bytes, the most that is expected (are ",
                                            "there line ends?)"));
  };
  const auto take_line = [&](absl::string_view line) {
    if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
    if (static_cast<int64_t>(line.size()) > most_bytes) return too_long();
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
    // One more may be the "\r" of its end.
    return static_cast<int64_t>(begun.size()) > most_bytes + 1 ? too_long() : absl::OkStatus();
  }));
  return begun.empty() ? absl::OkStatus() : take_line(begun);
}

}  // namespace spion
