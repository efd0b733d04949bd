#include "benchmarks/harness.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "spion/train/build_info.h"
#include "spion/train/device.h"

namespace spion {
namespace {

void AddContext() {
  const BuildInfo build = GetBuildInfo();
  benchmark::AddCustomContext("commit", std::string(build.commit) + (build.dirty ? "+" : ""));
  benchmark::AddCustomContext("torch", build.torch_version);
  benchmark::AddCustomContext("cuda", build.cuda_version);
  benchmark::AddCustomContext("cpu", DeviceName(at::kCPU));
}

}  // namespace

int RunBenchmarks(int argc, char** argv, absl::FunctionRef<bool()> prepare) {
  // As flags, which a flag of the user's overrides; set on a benchmark, they would join its name.
  std::string repetitions = "--benchmark_repetitions=9";
  std::string aggregates = "--benchmark_report_aggregates_only=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, {repetitions.data(), aggregates.data()});
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  AddContext();
  if (!prepare()) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace spion
