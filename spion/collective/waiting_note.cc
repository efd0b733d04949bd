#include "spion/collective/waiting_note.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spion {

std::string WaitingNote(absl::string_view rank, absl::string_view address,
                        absl::string_view missing, absl::Time end) {
  return absl::StrCat("note: ", rank, " waits at ", address, " for ", missing, ", until ",
                      absl::FormatTime("%H:%M:%S", end, absl::LocalTimeZone()));
}

void SayLine(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

LateNote::LateNote(std::chrono::milliseconds quiet, std::string line)
    : thread_([this, quiet, line = std::move(line)](const std::stop_token& is_over) {
        std::unique_lock<std::mutex> lock(mutex_);
        never_.wait_for(lock, is_over, quiet, [] { return false; });
        if (!is_over.stop_requested()) SayLine(line);
      }) {}

}  // namespace spion
