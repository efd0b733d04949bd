// SPION's block-sparse attention beside LibTorch's dense attention, forward and backward.
//
//   tools/bazel run //benchmarks:sparse_attention
//   tools/bazel run //benchmarks:sparse_attention -- --benchmark_filter=/image/ --benchmark_out=F
//
// Runs the GPU set on a machine with a GPU, else the CPU set. Every implementation that will be
// timed is checked against the double oracle first; a wrong result ends the program.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "benchmarks/attention_set.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/harness.h"
#include "spion/base/command_line.h"
#include "spion/base/fail.h"
#include "spion/base/file.h"
#include "spion/platform/device.h"

namespace spion {
namespace {

struct Options {
  std::string device = "auto";
  bool flush_l2 = false;
  std::string print_cases;
  bool help = false;
};

std::vector<Flag> OwnFlags(Options& options) {
  return {
      {"device", "auto|cpu|cuda", "auto: the GPU set where there is a GPU",
       SetText(options.device)},
      Switch("flush_l2", "GPU: write over the L2 cache before each timed pass", options.flush_l2),
      {"print_cases", "FILE", "write the GPU set's cases as JSON, and stop",
       SetText(options.print_cases)},
      Switch("help", "this text", options.help)};
}

int PrintCases(const std::string& path) {
  GoToUserDirectory();
  const absl::Status status = WriteFileAtomically(path, CasesToJson(GpuCases()).dump() + "\n");
  return status.ok() ? 0 : Fail(status.message());
}

bool Prepare(BenchmarkList& list, const Options& options, const DeviceChoice& choice) {
  list.set_title(SetTitle("sparse_attention", options.device, choice));
  const absl::Status status = choice.device.is_cuda()
                                  ? AddGpuAttention(list, {.flush_l2 = options.flush_l2})
                                  : AddCpuAttention(list);
  if (!status.ok()) Fail(status.message());
  return status.ok();
}

int Main(int argc, char** argv) {
  Options options;
  const std::vector<Flag> flags = OwnFlags(options);
  absl::StatusOr<std::vector<std::string>> arguments = TakeFlags({argv, argv + argc}, flags);
  if (!arguments.ok()) return Fail(arguments.status().message());
  if (options.help) {
    PrintHelp("sparse_attention", flags);
    return 0;
  }
  if (!options.print_cases.empty()) return PrintCases(options.print_cases);
  const absl::StatusOr<DeviceChoice> choice = ChooseDevice(options.device);
  if (!choice.ok()) return Fail(choice.status().message());
  const bool gpu = choice->device.is_cuda();
  if (options.flush_l2 && !gpu) return Fail("--flush_l2 is for the GPU set; this is the CPU set");
  // A repetition of 20 ms has hundreds of passes of a GPU kernel, and the set has 600 benchmarks.
  if (gpu) arguments->insert(arguments->begin() + 1, "--benchmark_min_time=0.02");
  return RunBenchmarks(
      *arguments, [&](BenchmarkList& list) { return Prepare(list, options, *choice); }, flags);
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) { return spion::RunMain(spion::Main, argc, argv); }
