// What a user sees while a run goes on: one line that renews itself on a terminal, plain lines
// elsewhere, and messages that stay.
#ifndef SPION_RUN_PROGRESS_H_
#define SPION_RUN_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spion/train/phase.h"

namespace spion {

struct StepReport {
  int64_t step = 0;
  int64_t steps = 0;
  Phase phase = Phase::kDense;
  double loss = 0;
  double accuracy = 0;
  double steps_per_second = 0;
  double seconds_left = 0;
};

class Progress {
 public:
  /// `out` outlives the progress. On a terminal the step line is renewed in place.
  Progress(std::ostream& out, bool is_terminal, std::function<absl::Time()> now = absl::Now)
      : out_(out), is_terminal_(is_terminal), now_(std::move(now)) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Step(const StepReport& report);
  /// "testing: 512 of 2000 examples", on a terminal only, from a second after none was done: a
  /// line that renews itself and leaves nothing behind.
  void Evaluated(absl::string_view what, int64_t done, int64_t examples);
  /// A message of one or more lines that stays.
  void Say(absl::string_view message);

 private:
  enum class Line { kNone, kStays, kGoes };

  /// Makes way for a line that is not to stand in the open one's place.
  void CloseLine();

  std::ostream& out_;
  const bool is_terminal_;
  const std::function<absl::Time()> now_;
  absl::Time evaluation_start_;
  Line open_ = Line::kNone;
};

/// "dense phase" and `end` behind it; nothing of a single phase, which needs no name.
std::string PhaseText(Phase phase, absl::string_view end = "");

/// "0:07", "12:34", "1:02:03".
std::string FormatDuration(double seconds);

/// "step  120/400  sparse  loss 1.932  accuracy 28.1 %  3.2 steps/s  1:27 left"; of a single phase
/// no name is shown.
std::string FormatStep(const StepReport& report);

}  // namespace spion

#endif  // SPION_RUN_PROGRESS_H_
