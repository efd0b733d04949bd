#include "benchmarks/plain_name_reporter.h"

#include <utility>

namespace spion {

PlainNameReporter::PlainNameReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner)
    : inner_(std::move(inner)) {}

bool PlainNameReporter::ReportContext(const Context& context) {
  // The streams of this reporter are set after it was made.
  inner_->SetOutputStream(&GetOutputStream());
  inner_->SetErrorStream(&GetErrorStream());
  return inner_->ReportContext(context);
}

void PlainNameReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> plain;
  for (const Run& run : runs) {
    if (run.error_occurred && run.repetition_index > 0) continue;
    plain.push_back(run);
    plain.back().run_name.time_type.clear();
  }
  if (!plain.empty()) inner_->ReportRuns(plain);
}

void PlainNameReporter::Finalize() { inner_->Finalize(); }

}  // namespace spion
