// What the benchmark programs share: Google Benchmark with nine repetitions and their median, and
// the machine and versions in the context of the JSON output.
//
//   int main(int argc, char** argv) {
//     return spion::RunBenchmarks(argc, argv, [] { Check(); Register(); return true; });
//   }
#ifndef BENCHMARKS_HARNESS_H_
#define BENCHMARKS_HARNESS_H_

#include "absl/functional/function_ref.h"

namespace spion {

/// Parses Google Benchmark's flags (the user's override ours), calls `prepare`, which checks
/// results against an oracle and registers the benchmarks, and runs them. Returns the exit code: 1
/// if `prepare` returns false or a flag is unknown.
int RunBenchmarks(int argc, char** argv, absl::FunctionRef<bool()> prepare);

}  // namespace spion

#endif  // BENCHMARKS_HARNESS_H_
