// SPION's block-sparse attention beside LibTorch's dense attention, forward and backward.
//
//   tools/bazel run //benchmarks:sparse_attention
//   tools/bazel run //benchmarks:sparse_attention -- --benchmark_filter=L4096
//   --benchmark_format=json
//
// Names: <impl>/<device>/<dtype>/<shape>/<pass>. A shape is L<length>_b<block>_k<kept blocks>; B 4,
// H 2, d 32. Every implementation is checked against the double oracle before anything is timed.
#include <ATen/TensorOperators.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "benchmarks/attention_problem.h"
#include "benchmarks/harness.h"
#include "spion/ops/block_sparse_attention.h"
#include "spion/ops/pattern_tensors.h"

namespace spion {
namespace {

constexpr int64_t kBatch = 4;
constexpr int64_t kHeads = 2;
constexpr int64_t kHeadDim = 32;
constexpr uint64_t kSeed = 1001;

struct Shape {
  int length, block_size, kept;
};

// The lengths of image, listops and text; random patterns.
constexpr Shape kShapes[] = {{1024, 32, 58}, {2048, 64, 41}, {4096, 64, 123}};

enum class Pass { kForward, kBackward, kBoth };
constexpr std::pair<Pass, const char*> kPasses[] = {
    {Pass::kForward, "fwd"}, {Pass::kBackward, "bwd"}, {Pass::kBoth, "fwdbwd"}};

struct Implementation {
  const char* name;
  /// What it does with pruned blocks; nothing for dense attention, which keeps all.
  std::optional<PrunedScore> pruned;
  std::function<AttentionFunction(const BlockPattern&)> make;
};

AttentionFunction MakeSpion(const BlockPattern& pattern) {
  return [tensors = ToTensors(pattern, at::kCPU)](const at::Tensor& q, const at::Tensor& k,
                                                  const at::Tensor& v) {
    return BlockSparseAttention(q, k, v, tensors, std::nullopt, PrunedScore::kZero);
  };
}

AttentionFunction MakeSdpa(const BlockPattern&) {
  return [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return at::scaled_dot_product_attention(q, k, v);
  };
}

AttentionFunction MakeDense(const BlockPattern&) {
  return [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    const at::Tensor scores = q.matmul(k.transpose(2, 3)) / std::sqrt(double(kHeadDim));
    return at::softmax(scores, -1).matmul(v);
  };
}

const Implementation kImplementations[] = {{"spion", PrunedScore::kZero, MakeSpion},
                                           {"sdpa", std::nullopt, MakeSdpa},
                                           {"dense", std::nullopt, MakeDense}};

bool AllAreRight() {
  const BlockPattern sparse = RandomPattern(8, 32, 15, kSeed);
  const BlockPattern all = BlockPattern::FromMask(8, 32, std::vector<uint8_t>(64, 1)).value();
  for (const Implementation& implementation : kImplementations) {
    const BlockPattern& pattern = implementation.pruned.has_value() ? sparse : all;
    const absl::Status status =
        CheckAgainstOracle(implementation.make(pattern), pattern, kHeadDim,
                           implementation.pruned.value_or(PrunedScore::kExcluded));
    if (!status.ok()) {
      absl::FPrintF(stderr, "sparse_attention: %s is wrong: %s\n", implementation.name,
                    status.message());
      return false;
    }
  }
  return true;
}

void ClearGradients(const AttentionProblem& problem) {
  for (const at::Tensor* tensor : {&problem.q, &problem.k, &problem.v}) {
    tensor->mutable_grad().reset();
  }
}

void Time(benchmark::State& state, const AttentionProblem& problem,
          const AttentionFunction& attention, Pass pass) {
  while (state.KeepRunning()) {
    if (pass == Pass::kForward) {
      c10::NoGradGuard no_grad;
      benchmark::DoNotOptimize(attention(problem.q, problem.k, problem.v));
      continue;
    }
    if (pass == Pass::kBackward) state.PauseTiming();
    const at::Tensor out = attention(problem.q, problem.k, problem.v);
    if (pass == Pass::kBackward) state.ResumeTiming();
    out.backward(problem.grad_out);
    ClearGradients(problem);
  }
  state.counters["kept_blocks"] = static_cast<double>(problem.pattern.kept_blocks());
}

void Register() {
  for (const Shape& shape : kShapes) {
    const auto problem = std::make_shared<AttentionProblem>(MakeProblem(
        absl::StrFormat("L%d_b%d_k%d", shape.length, shape.block_size, shape.kept),
        RandomPattern(shape.length / shape.block_size, shape.block_size, shape.kept, kSeed), kBatch,
        kHeads, kHeadDim, kSeed));
    for (const Implementation& implementation : kImplementations) {
      const AttentionFunction attention = implementation.make(problem->pattern);
      for (const auto& [pass, pass_name] : kPasses) {
        const std::string name =
            absl::StrFormat("%s/cpu/f32/%s/%s", implementation.name, problem->name, pass_name);
        benchmark::RegisterBenchmark(name.c_str(), [=, pass = pass](benchmark::State& state) {
          Time(state, *problem, attention, pass);
        })->Unit(benchmark::kMillisecond);
      }
    }
  }
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) {
  return spion::RunBenchmarks(argc, argv, [] {
    if (!spion::AllAreRight()) return false;
    spion::Register();
    return true;
  });
}
