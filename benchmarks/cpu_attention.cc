#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmarks/attention_problem.h"
#include "benchmarks/attention_set.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/implementation.h"
#include "benchmarks/oracle_check.h"
#include "spion/base/status.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

constexpr uint64_t kSeed = 1001;

absl::Status Check(const Implementation& implementation, int64_t head_dim) {
  const BlockPattern pattern =
      implementation.pruned.has_value() ? RandomPattern(8, 32, 15, kSeed) : AllBlocks(8, 32);
  absl::Status status = CheckAgainstOracle(
      implementation.make(pattern, at::kCPU), pattern, head_dim,
      implementation.pruned.value_or(PrunedScore::kExcluded), at::kFloat, at::kCPU);
  if (status.ok()) return status;
  return absl::InternalError(absl::StrCat(implementation.name, " is wrong: ", status.message()));
}

void Time(benchmark::State& state, const AttentionProblem& problem,
          const AttentionFunction& attention, Pass pass) {
  while (state.KeepRunning()) {
    if (pass == Pass::kForward) {
      benchmark::DoNotOptimize(RunForward(problem, attention));
    } else if (pass == Pass::kBoth) {
      benchmark::DoNotOptimize(RunBoth(problem, attention));
    } else {
      state.PauseTiming();
      const at::Tensor out = RunTrainingForward(problem, attention);
      state.ResumeTiming();
      benchmark::DoNotOptimize(RunBackward(problem, out));
    }
  }
}

}  // namespace

absl::Status AddCpuAttention(BenchmarkList& list) {
  const std::vector<Implementation> implementations = {Spion(), Sdpa(), MaterialisedDense()};
  for (const BenchmarkCase& c : CpuCases()) {
    // Made by the first benchmark that runs, so that listing names costs nothing.
    const auto problem = std::make_shared<AttentionProblem>();
    for (const Implementation& implementation : implementations) {
      for (const Pass pass : kPasses) {
        const std::string name = BenchmarkName(implementation.name, "cpu", "f32", c.name, pass);
        list.Add(
            name,
            [=](benchmark::State& state) {
              if (!problem->q.defined()) {
                *problem = MakeProblem({c.batch, c.heads, c.pattern.length(), c.head_dim},
                                       at::kFloat, at::kCPU, kSeed);
              }
              Time(state, *problem, implementation.make(c.pattern, at::kCPU), pass);
              state.counters["kept_blocks"] = static_cast<double>(c.pattern.kept_blocks());
            },
            Clock::kWall);
      }
    }
  }
  if (list.only_listed()) return absl::OkStatus();
  for (const Implementation& implementation : implementations) {
    RETURN_IF_ERROR(Check(implementation, CpuCases().front().head_dim));
  }
  return absl::OkStatus();
}

}  // namespace spion
