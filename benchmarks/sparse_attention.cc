// SPION's block-sparse attention beside LibTorch's dense attention, forward and backward.
//
//   tools/bazel run //benchmarks:sparse_attention
//   tools/bazel run //benchmarks:sparse_attention -- --benchmark_filter=/image/ --benchmark_out=F
//
// Runs the GPU set on a machine with a GPU, else the CPU set. Every implementation that will be
// timed is checked against the double oracle first; a wrong result ends the program.
#include <c10/util/Exception.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "benchmarks/attention_set.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/harness.h"
#include "spion/base/file.h"
#include "spion/train/device.h"

namespace spion {
namespace {

constexpr char kFlagsHelp[] =
    "sparse_attention [--device=auto|cpu|cuda]   auto: the GPU set where there is a GPU\n"
    "                 [--flush_l2]               GPU: write over the L2 cache before each timed "
    "pass\n"
    "                 [--print_cases=FILE]       write the GPU set's cases as JSON, and stop\n"
    "and Google Benchmark's flags:\n";

struct Flags {
  std::string device = "auto";
  bool flush_l2 = false;
  std::string print_cases;
};

// Takes the program's own flags; the others are Google Benchmark's.
Flags TakeFlags(std::vector<char*>& arguments) {
  Flags flags;
  std::vector<char*> others;
  for (char* argument : arguments) {
    absl::string_view value = argument;
    if (value == "--flush_l2") {
      flags.flush_l2 = true;
    } else if (absl::ConsumePrefix(&value, "--device=")) {
      flags.device = std::string(value);
    } else if (absl::ConsumePrefix(&value, "--print_cases=")) {
      flags.print_cases = std::string(value);
    } else {
      others.push_back(argument);
    }
  }
  arguments = others;
  return flags;
}

int Fail(absl::string_view message) {
  std::cerr << "error: " << message << std::endl;
  return 1;
}

int PrintCases(const std::string& path) {
  GoToUserDirectory();
  const absl::Status status = WriteFileAtomically(path, CasesToJson(GpuCases()).dump() + "\n");
  return status.ok() ? 0 : Fail(status.message());
}

// Why the set that runs is the one: what `choice` says, or the user.
std::string Reason(const Flags& flags, const DeviceChoice& choice) {
  if (!choice.reason.empty()) return choice.reason;
  if (flags.device != "auto") return absl::StrCat("--device=", flags.device);
  return "there is a GPU that SPION can use";
}

bool Prepare(BenchmarkList& list, const Flags& flags, const DeviceChoice& choice) {
  const bool gpu = choice.device.is_cuda();
  std::cerr << "sparse_attention: the " << (gpu ? "GPU" : "CPU")
            << " set: " << Reason(flags, choice) << std::endl;
  const absl::Status status =
      gpu ? AddGpuAttention(list, {.flush_l2 = flags.flush_l2}) : AddCpuAttention(list);
  if (!status.ok()) Fail(status.message());
  return status.ok();
}

int Main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const Flags flags = TakeFlags(arguments);
  if (!flags.print_cases.empty()) return PrintCases(flags.print_cases);
  const absl::StatusOr<DeviceChoice> choice = ChooseDevice(flags.device);
  if (!choice.ok()) return Fail(choice.status().message());
  if (flags.flush_l2 && !choice->device.is_cuda()) {
    return Fail("--flush_l2 is for the GPU set; this is the CPU set");
  }
  HarnessOptions options{.default_flags = {}, .print_own_flags = [] { std::cout << kFlagsHelp; }};
  // A repetition of 20 ms has hundreds of passes of a GPU kernel, and the set has 600 benchmarks.
  if (choice->device.is_cuda()) options.default_flags = {"--benchmark_min_time=0.02"};
  return RunBenchmarks(static_cast<int>(arguments.size()), arguments.data(), options,
                       [&](BenchmarkList& list) { return Prepare(list, flags, *choice); });
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) {
  try {
    return spion::Main(argc, argv);
  } catch (const c10::Error& error) {
    return spion::Fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return spion::Fail(error.what());
  }
}
