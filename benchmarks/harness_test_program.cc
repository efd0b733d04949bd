// What harness_test.py runs: one benchmark of each clock, and one that cannot do its work.
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "benchmarks/harness.h"

namespace spion {
namespace {

bool Prepare(BenchmarkList& list) {
  std::cerr << (list.only_listed() ? "listing\n" : "checking\n");
  const auto manual = [](benchmark::State& state) {
    while (state.KeepRunning()) state.SetIterationTime(0.25);
  };
  const auto wall = [](benchmark::State& state) {
    while (state.KeepRunning()) benchmark::ClobberMemory();
  };
  const auto broken = [](benchmark::State& state) { state.SkipWithError("cannot do this"); };
  list.Add("x/manual", manual, Clock::kManual);
  list.Add("x/wall", wall, Clock::kWall);
  list.Add("x/broken", broken, Clock::kManual);
  return std::getenv("CHECK_FAILS") == nullptr;
}

int Main(int argc, char** argv) {
  if (std::getenv("THROWS") != nullptr) throw std::runtime_error("cannot begin");
  std::vector<std::string> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, "--benchmark_min_time=0.0001");
  return RunBenchmarks(arguments, Prepare);
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) { return spion::RunMain(spion::Main, argc, argv); }
