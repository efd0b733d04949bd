#include "benchmarks/plain_name_reporter.h"

#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "spion/base/utf8.h"

namespace spion {
namespace {

// Debian builds Google Benchmark with its assertions, which stand outside of what is timed.
constexpr absl::string_view kOfDebian = "Library was built as DEBUG";

// Google Benchmark 1.8 and later says that a run failed in another member than 1.7. A template, as
// only there a member that this version lacks is no error.
template <typename Run>
bool Failed(const Run& run) {
  if constexpr (requires { run.error_occurred; }) {
    return run.error_occurred;
  } else {
    return run.skipped == decltype(run.skipped)::SkippedWithError;
  }
}

}  // namespace

PlainNameReporter::PlainNameReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner)
    : inner_(std::move(inner)) {}

bool PlainNameReporter::ReportContext(const Context& context) {
  // The host's name is whatever its owner called it, and JSON must be UTF-8.
  std::ostringstream text;
  std::ostringstream notes;
  inner_->SetOutputStream(&text);
  inner_->SetErrorStream(&notes);
  const bool goes_on = inner_->ReportContext(context);
  GetOutputStream() << ToUtf8(text.str());
  for (const absl::string_view line : absl::StrSplit(notes.str(), '\n', absl::SkipEmpty())) {
    if (!absl::StrContains(line, kOfDebian)) GetErrorStream() << line << "\n";
  }
  // The streams of this reporter are set after it was made.
  inner_->SetOutputStream(&GetOutputStream());
  inner_->SetErrorStream(&GetErrorStream());
  return goes_on;
}

void PlainNameReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> plain;
  for (const Run& run : runs) {
    if (Failed(run) && run.repetition_index > 0) continue;
    plain.push_back(run);
    plain.back().run_name.time_type.clear();
  }
  if (!plain.empty()) inner_->ReportRuns(plain);
}

void PlainNameReporter::Finalize() { inner_->Finalize(); }

}  // namespace spion
