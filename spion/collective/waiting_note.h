// The line by which a rank says that it waits for others.
//
//   const LateNote note(std::chrono::seconds(10), WaitingNote(...));
//   ... what may take long ...
#ifndef SPION_COLLECTIVE_WAITING_NOTE_H_
#define SPION_COLLECTIVE_WAITING_NOTE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace spion {

/// "note: rank 0 of 3 on gpu01 waits at gpu01:29500 for ranks 1, 2, until 23:33:10", in local time.
std::string WaitingNote(absl::string_view rank, absl::string_view address,
                        absl::string_view missing, absl::Time end);

/// On stderr, but not by std::cerr, which writes first what std::cout holds: whoever reads that may
/// have stopped.
void SayLine(const std::string& line);

/// Says a line on stderr once it has lived for so long.
class LateNote {
 public:
  LateNote(std::chrono::milliseconds quiet, std::string line);

 private:
  std::mutex mutex_;
  std::condition_variable_any never_;
  std::jthread thread_;  // ends at once with the note
};

}  // namespace spion

#endif  // SPION_COLLECTIVE_WAITING_NOTE_H_
