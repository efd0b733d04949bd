// What a user sees while a run goes on: one line that renews itself on a terminal, plain lines
// elsewhere, and messages that stay.
#ifndef SPION_RUN_PROGRESS_H_
#define SPION_RUN_PROGRESS_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "spion/train/phase_controller.h"

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
  Progress(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Step(const StepReport& report);
  /// "testing: 512 of 2000 examples", on a terminal only.
  void Tested(int64_t done, int64_t examples);
  /// A message of one or more lines that stays.
  void Say(absl::string_view message);

 private:
  std::ostream& out_;
  bool is_terminal_;
  bool line_open_ = false;
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
