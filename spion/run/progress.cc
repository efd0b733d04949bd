#include "spion/run/progress.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spion {
namespace {

constexpr absl::string_view kRenewLine = "\r\x1b[K";

// An evaluation that is over sooner needs no line of its own.
constexpr absl::Duration kShort = absl::Seconds(1);

}  // namespace

Progress::~Progress() {
  CloseLine();
  out_ << std::flush;
}

void Progress::CloseLine() {
  if (open_ == Line::kStays) out_ << '\n';
  if (open_ == Line::kGoes) out_ << kRenewLine;
  open_ = Line::kNone;
}

void Progress::Step(const StepReport& report) {
  if (is_terminal_) {
    out_ << kRenewLine << FormatStep(report) << std::flush;
    open_ = Line::kStays;
  } else {
    out_ << FormatStep(report) << '\n' << std::flush;
  }
}

void Progress::Evaluated(absl::string_view what, int64_t done, int64_t examples) {
  if (!is_terminal_) return;
  if (done == 0) evaluation_start_ = now_();
  if (now_() - evaluation_start_ < kShort) return;
  if (open_ == Line::kStays) CloseLine();
  out_ << kRenewLine << what << ": " << done << " of " << examples << " examples" << std::flush;
  open_ = Line::kGoes;
}

void Progress::Say(absl::string_view message) {
  CloseLine();
  out_ << message << '\n' << std::flush;
}

std::string PhaseText(Phase phase, absl::string_view end) {
  return phase == Phase::kSingle ? "" : absl::StrCat(PhaseName(phase), " phase", end);
}

std::string FormatDuration(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(std::fmax(seconds, 0.0)));
  const int64_t hours = total / 3600;
  const int64_t minutes = total / 60 % 60;
  if (hours > 0) return absl::StrFormat("%d:%02d:%02d", hours, minutes, total % 60);
  return absl::StrFormat("%d:%02d", minutes, total % 60);
}

std::string FormatStep(const StepReport& report) {
  const auto width = static_cast<int>(absl::StrCat(report.steps).size());
  const std::string phase =
      report.phase == Phase::kSingle ? "" : absl::StrFormat("%-6s  ", PhaseName(report.phase));
  return absl::StrFormat("step %*d/%d  %sloss %.3f  accuracy %4.1f %%  %.1f steps/s  %s left",
                         width, report.step, report.steps, phase, report.loss,
                         100 * report.accuracy, report.steps_per_second,
                         FormatDuration(report.seconds_left));
}

}  // namespace spion
