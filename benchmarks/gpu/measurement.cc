#include "benchmarks/gpu/measurement.h"

#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/randn.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/util/Exception.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/attention_cost.h"
#include "benchmarks/gpu/gpu_info.h"

namespace spion {
namespace {

constexpr uint64_t kSeed = 1001;

// Normal numbers made on the GPU: large problems would take the CPU minutes. By a generator of
// their own, for a capture that fails leaves LibTorch's unusable.
AttentionProblem MakeGpuProblem(const AttentionSize& size, at::ScalarType dtype) {
  at::Generator generator = at::cuda::detail::createCUDAGenerator();
  generator.set_current_seed(kSeed);
  const auto normal = [&] {
    return at::randn({size.batch, size.heads, size.length, size.head_dim}, generator,
                     at::TensorOptions().dtype(dtype).device(at::kCUDA));
  };
  AttentionProblem problem{.q = normal(), .k = normal(), .v = normal(), .grad_out = normal()};
  for (at::Tensor* tensor : {&problem.q, &problem.k, &problem.v}) tensor->requires_grad_();
  return problem;
}

// Throws if probabilities that are materialised would not fit.
void CheckFits(const Measurement& measurement) {
  if (!measurement.implementation.materialises) return;
  constexpr double kGib = 1 << 30;
  const double needed = MaterialisedBytes(measurement.problem.size(), measurement.dtype.bytes);
  const auto free = static_cast<double>(FreeDeviceBytes());
  TORCH_CHECK(needed <= free,
              absl::StrFormat("materialised probabilities take about %.1f GiB, the GPU has %.1f "
                              "GiB free",
                              needed / kGib, free / kGib));
}

std::string MessageOf(const std::exception& error) {
  const auto* c10_error = dynamic_cast<const c10::Error*>(&error);
  return c10_error != nullptr ? c10_error->what_without_backtrace() : error.what();
}

// Of what a dense attention's time depends on.
std::string DenseKey(const Measurement& measurement) {
  const AttentionSize size = measurement.problem.size();
  return absl::StrCat(size.batch, "x", size.heads, "x", size.length, "x", size.head_dim, "/",
                      measurement.dtype.name, "/", PassName(measurement.pass));
}

}  // namespace

Measurer::Measurer(DeviceTimer timer, double copy_bandwidth)
    : timer_(std::move(timer)),
      copy_bandwidth_(copy_bandwidth),
      stream_(c10::cuda::getStreamFromPool()) {}

void Measurer::Prepare(const Measurement& measurement) {
  prepared_ = {.name = measurement.name, .pass = nullptr, .error = ""};
  c10::cuda::device_synchronize();
  c10::getDeviceAllocator(at::kCUDA)->emptyCache();
  try {
    CheckFits(measurement);
    const BenchmarkCase& problem = measurement.problem;
    prepared_.pass = std::make_unique<CapturedPass>(
        MakeGpuProblem(problem.size(), measurement.dtype.type),
        measurement.implementation.make(problem.pattern, {at::kCUDA, stream_.device_index()}),
        measurement.pass);
  } catch (const std::exception& error) {
    prepared_.error = absl::StrCat("cannot do this: ", MessageOf(error));
    stream_ = c10::cuda::getStreamFromPool();  // the old one may have been left capturing
  }
}

void Measurer::Run(benchmark::State& state, const Measurement& measurement) {
  const c10::cuda::CUDAStreamGuard guard(stream_);
  if (prepared_.name != measurement.name) Prepare(measurement);
  if (prepared_.pass == nullptr) {
    state.SkipWithError(prepared_.error.c_str());
    return;
  }
  const double seconds =
      Median(timer_.Time(state.max_iterations, [this] { prepared_.pass->Replay(); }));
  while (state.KeepRunning()) state.SetIterationTime(seconds);
  SetCounters(state, measurement, seconds);
}

void Measurer::SetCounters(benchmark::State& state, const Measurement& measurement,
                           double seconds) {
  constexpr double kTera = 1e12;
  const AttentionSize size = measurement.problem.size();
  const double bytes = FewestBytes(size, measurement.dtype.bytes, measurement.pass);
  state.counters["kept_blocks"] = static_cast<double>(size.kept_blocks);
  state.counters["bytes"] = bytes;
  state.counters["copy_bandwidth_percent"] = 100 * bytes / seconds / copy_bandwidth_;
  state.counters["tflops"] = UsefulFlops(size, measurement.pass) / seconds / kTera;
  state.counters["peak_bytes"] = static_cast<double>(prepared_.pass->peak_bytes());

  std::vector<double>& dense = dense_seconds_[DenseKey(measurement)];
  if (measurement.implementation.materialises) {
    dense.push_back(seconds);
  } else if (!dense.empty()) {
    state.counters["speedup_over_dense"] = Median(dense) / seconds;
  }
}

}  // namespace spion
