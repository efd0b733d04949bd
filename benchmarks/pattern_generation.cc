// Time from a layer's attention map to its block pattern, on one core: what the transition from the
// dense to the sparse phase costs a layer.
//
//   tools/bazel run //benchmarks:pattern_generation
//
// Names: spion/cpu/f32/<kind>/L<length>_b<block size>. Densities and thresholds are those of the
// tasks with these lengths. Before anything is timed, every kind is checked at L = 1024 against
// plain loops over doubles; a wrong pattern ends the program.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "benchmark/benchmark.h"
#include "benchmarks/harness.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/generator.h"
#include "spion/pattern/map_view.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

constexpr PatternKind kKinds[] = {PatternKind::kC, PatternKind::kF, PatternKind::kCF};
constexpr uint64_t kSeed = 1001;

struct Shape {
  int64_t side;
  int block_size;
  double density;
  double threshold;
};

// image, listops, text: as in spion/data/tasks.bzl.
constexpr Shape kShapes[] = {
    {1024, 32, 0.04, 0.96}, {2048, 64, 0.04, 0.98}, {4096, 64, 0.03, 0.99}};

GeneratorOptions Options(PatternKind kind, const Shape& shape) {
  GeneratorOptions options;
  options.kind = kind;
  options.block_size = shape.block_size;
  options.density = shape.density;
  options.threshold = shape.threshold;
  return options;
}

bool PatternsAreRight() {
  const Shape& shape = kShapes[0];
  const std::vector<float> values = RandomAttentionMap(shape.side, kSeed);
  const MapView map{values, shape.side};
  for (const PatternKind kind : kKinds) {
    const GeneratorOptions options = Options(kind, shape);
    const absl::StatusOr<BlockPattern> pattern = GeneratePattern(map, options);
    if (!pattern.ok() || pattern->mask() != NaivePatternMask(map, options)) {
      absl::FPrintF(stderr, "pattern_generation: %s at L = %d is wrong: %s\n",
                    PatternKindName(kind), shape.side, pattern.status().ToString());
      return false;
    }
  }
  return true;
}

void GenerateOnce(benchmark::State& state, PatternKind kind, const Shape& shape) {
  const std::vector<float> values = RandomAttentionMap(shape.side, kSeed);
  const GeneratorOptions options = Options(kind, shape);
  int64_t kept_blocks = 0;
  while (state.KeepRunning()) {
    absl::StatusOr<BlockPattern> pattern = GeneratePattern({values, shape.side}, options);
    if (!pattern.ok()) {
      state.SkipWithError(pattern.status().ToString().c_str());
      break;
    }
    kept_blocks = pattern->kept_blocks();
    benchmark::DoNotOptimize(pattern);
  }
  state.counters["kept_blocks"] = static_cast<double>(kept_blocks);
  state.SetBytesProcessed(state.iterations() * shape.side * shape.side *
                          static_cast<int64_t>(sizeof(float)));
}

void AddAll(BenchmarkList& list) {
  for (const PatternKind kind : kKinds) {
    for (const Shape& shape : kShapes) {
      const std::string name = absl::StrFormat("spion/cpu/f32/%s/L%d_b%d", PatternKindName(kind),
                                               shape.side, shape.block_size);
      list.Add(
          name, [kind, shape](benchmark::State& state) { GenerateOnce(state, kind, shape); },
          Clock::kWall);
    }
  }
}

int Main(int argc, char** argv) {
  return RunBenchmarks({argv, argv + argc}, [](BenchmarkList& list) {
    if (!list.only_listed() && !PatternsAreRight()) return false;
    AddAll(list);
    return true;
  });
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) { return spion::RunMain(spion::Main, argc, argv); }
