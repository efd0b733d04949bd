// What the benchmark programs share: Google Benchmark with nine repetitions and their median, plain
// names, and the machine and versions in the context of the JSON output.
//
//   int Main(int argc, char** argv) {
//     return spion::RunBenchmarks({argv, argv + argc}, [](spion::BenchmarkList& list) {
//       if (list.Wants("spion/cpu/f32/image/fwd")) Check();
//       list.Add("spion/cpu/f32/image/fwd", Run, spion::Clock::kWall);
//       return true;
//     });
//   }
//   int main(int argc, char** argv) { return spion::RunMain(Main, argc, argv); }
//
// The console shows the aggregates, a file (--benchmark_out=FILE) has every repetition besides. It
// is written as FILE.partial and renamed at the end. Under `bazel run` relative paths count from
// where the user stands.
#ifndef BENCHMARKS_HARNESS_H_
#define BENCHMARKS_HARNESS_H_

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/command_line.h"
#include "spion/platform/device.h"

namespace spion {

/// What times a benchmark: Google Benchmark's own clock, or the benchmark by SetIterationTime.
enum class Clock { kWall, kManual };

/// The benchmarks of a program. Those that --benchmark_filter leaves out are dropped; the filter
/// sees the names as they are given here.
class BenchmarkList {
 public:
  /// `filter` is Google Benchmark's: a POSIX extended regular expression that must match somewhere;
  /// with a leading '-', one that must not; "" or "all" for everything.
  /// Errors: InvalidArgument if it is no such expression.
  static absl::StatusOr<BenchmarkList> Create(const std::string& filter);

  /// Whether `name` will be run (or listed) if it is added: what it needs has to be checked.
  bool Wants(const std::string& name) const { return wanted_(name); }
  /// Whether the names are only listed: nothing needs to be checked then.
  bool only_listed() const { return only_listed_; }
  void set_only_listed(bool only_listed) { only_listed_ = only_listed; }

  /// A line for stderr that comes before the first benchmark that is added: where none is, an error
  /// stands alone.
  void set_title(std::string title) { title_ = std::move(title); }

  /// Reported in milliseconds.
  void Add(const std::string& name, std::function<void(benchmark::State&)> run, Clock clock);

  /// The wanted names, in the order in which they were added.
  const std::vector<std::string>& names() const { return names_; }
  /// The others, likewise.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  explicit BenchmarkList(std::function<bool(const std::string&)> wanted);

  std::function<bool(const std::string&)> wanted_;
  bool only_listed_ = false;
  std::string title_;
  std::vector<std::string> names_;
  std::vector<std::string> left_out_;
};

/// For --help: the program's own flags and Google Benchmark's.
void PrintHelp(absl::string_view program, const std::vector<Flag>& flags);

/// That the set for a GPU or for the CPU runs, and why: `asked` is the --device.
std::string SetTitle(absl::string_view program, absl::string_view asked,
                     const DeviceChoice& choice);

/// The exit code of `main`, between what is at a program's begin and end (spion/base/program.h): 1
/// after what it throws, which is said on stderr.
int RunMain(int (*main)(int argc, char** argv), int argc, char** argv);

/// Relative paths count from the user's folder, which is not where `bazel run` starts a program.
void GoToUserDirectory();

/// Parses Google Benchmark's flags, calls `prepare`, which checks results against an oracle and
/// adds the benchmarks, and runs them. `given` are the program's name, flags that the user's
/// override ("--benchmark_min_time=0.02"), and the user's; `programs_flags`, --help among them,
/// have been taken from them, and may be what one that is unknown is a slip of. Returns the exit
/// code: 1 if `prepare` returns false, a flag is unknown or has a bad value, no benchmark matches
/// the filter, or the file cannot be written.
int RunBenchmarks(const std::vector<std::string>& given,
                  absl::FunctionRef<bool(BenchmarkList&)> prepare,
                  const std::vector<Flag>& programs_flags = {});

}  // namespace spion

#endif  // BENCHMARKS_HARNESS_H_
