// A Google Benchmark reporter that passes runs on under the names they were registered with.
//
//   PlainNameReporter reporter(std::make_unique<benchmark::JSONReporter>());
//   benchmark::RunSpecifiedBenchmarks(&reporter);
//
// Google Benchmark adds how a benchmark was timed to its name (".../manual_time"), so that one
// benchmark had two names depending on its clock.
#ifndef BENCHMARKS_PLAIN_NAME_REPORTER_H_
#define BENCHMARKS_PLAIN_NAME_REPORTER_H_

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

namespace spion {

class PlainNameReporter : public benchmark::BenchmarkReporter {
 public:
  explicit PlainNameReporter(std::unique_ptr<benchmark::BenchmarkReporter> inner);

  /// Without the warning of how Debian built Google Benchmark.
  bool ReportContext(const Context& context) override;
  /// An error is passed on once, not once a repetition.
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

 private:
  std::unique_ptr<benchmark::BenchmarkReporter> inner_;
};

}  // namespace spion

#endif  // BENCHMARKS_PLAIN_NAME_REPORTER_H_
