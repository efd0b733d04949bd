#include <ATen/Context.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmarks/attention_set.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/gpu/device_timer.h"
#include "benchmarks/gpu/gpu_info.h"
#include "benchmarks/gpu/measurement.h"
#include "benchmarks/implementation.h"
#include "benchmarks/oracle_check.h"
#include "spion/base/status.h"
#include "spion/testing/pattern_zoo.h"

namespace spion {
namespace {

constexpr uint64_t kSeed = 1001;
// The oracle takes a second at this length, and four times as long at twice it.
constexpr int kLongestChecked = 4096;

constexpr GpuDtype kDtypes[] = {
    {"bf16", at::kBFloat16, 2}, {"fp16", at::kHalf, 2}, {"f32", at::kFloat, 4}};

// Dense attention first: what follows is compared with it.
std::vector<Implementation> ImplementationsFor(CaseKind kind) {
  std::vector<Implementation> implementations;
  // Dense attention does not depend on the pattern: at the density sweep's size it is measured as
  // "image". Materialised, it fits neither the sweep over lengths nor the wide cases.
  if (kind != CaseKind::kDensitySweep) {
    if (kind != CaseKind::kLengthSweep && kind != CaseKind::kWide) {
      implementations.push_back(MaterialisedDense());
    }
    for (Implementation& backend : SdpaBackends()) implementations.push_back(std::move(backend));
  }
  implementations.push_back(Spion());
  // Elsewhere its kernels are the same.
  if (kind == CaseKind::kWide) implementations.push_back(SpionInAnyOrder());
  return implementations;
}

std::vector<Measurement> WantedMeasurements(const BenchmarkList& list) {
  std::vector<Measurement> wanted;
  for (const BenchmarkCase& c : GpuCases()) {
    for (const GpuDtype& dtype : kDtypes) {
      for (const Implementation& implementation : ImplementationsFor(c.kind)) {
        for (const Pass pass : kPasses) {
          const std::string name =
              BenchmarkName(implementation.name, "cuda", dtype.name, c.name, pass);
          if (!list.Wants(name)) continue;
          wanted.push_back({.name = name,
                            .problem = c,
                            .dtype = dtype,
                            .implementation = implementation,
                            .pass = pass});
        }
      }
    }
  }
  return wanted;
}

// The pattern that stands for the measurement's before the oracle: itself, or a shorter one of its
// block size.
BlockPattern CheckedPattern(const Measurement& measurement) {
  const BlockPattern& pattern = measurement.problem.pattern;
  if (!measurement.implementation.pruned.has_value()) return AllBlocks(8, 32);
  if (pattern.length() <= kLongestChecked) return pattern;
  return RandomRows(kLongestChecked / pattern.block_size(), pattern.block_size(),
                    static_cast<int>(pattern.kept_blocks() / pattern.blocks_per_side()), kSeed);
}

// One that refuses is no failure here: the benchmark will say so.
absl::Status Check(const Measurement& measurement, const BlockPattern& pattern) {
  const Implementation& implementation = measurement.implementation;
  const c10::Device gpu(at::kCUDA, 0);
  absl::Status status;
  try {
    status = CheckAgainstOracle(
        implementation.make(pattern, gpu), pattern, measurement.problem.head_dim,
        implementation.pruned.value_or(PrunedScore::kExcluded), measurement.dtype.type, gpu);
  } catch (const c10::Error& error) {
    if (implementation.may_refuse) return absl::OkStatus();
    status = absl::InternalError(error.what_without_backtrace());
  }
  if (status.ok()) return status;
  return absl::InternalError(absl::StrCat(implementation.name, " in ", measurement.dtype.name,
                                          " is wrong at ", measurement.problem.name, ": ",
                                          status.message()));
}

// Each implementation in each dtype and head dimension on each pattern, once.
absl::Status CheckAll(const std::vector<Measurement>& measurements) {
  struct Checked {
    std::string what;
    int64_t head_dim;
    BlockPattern pattern;
    bool operator==(const Checked&) const = default;
  };
  std::vector<Checked> checked;
  for (const Measurement& measurement : measurements) {
    Checked check{absl::StrCat(measurement.implementation.name, "/", measurement.dtype.name),
                  measurement.problem.head_dim, CheckedPattern(measurement)};
    if (std::find(checked.begin(), checked.end(), check) != checked.end()) continue;
    RETURN_IF_ERROR(Check(measurement, check.pattern));
    checked.push_back(std::move(check));
  }
  return absl::OkStatus();
}

double AddContext(const GpuInfo& gpu, const GpuSetOptions& options) {
  DeviceTimer timer(/*flush_bytes=*/0);
  const double bandwidth = CopyBandwidth(timer);
  benchmark::AddCustomContext("gpu", gpu.name);
  benchmark::AddCustomContext("driver", gpu.driver);
  benchmark::AddCustomContext("copy_bandwidth_bytes_per_second",
                              absl::StrFormat("%.4g", bandwidth));
  benchmark::AddCustomContext("l2_cache", options.flush_l2 ? "flushed" : "warm");
  return bandwidth;
}

}  // namespace

absl::Status AddGpuAttention(BenchmarkList& list, const GpuSetOptions& options) {
  const std::vector<Measurement> measurements = WantedMeasurements(list);
  std::shared_ptr<Measurer> measurer;
  if (!list.only_listed()) {
    // Every implementation may use tf32 for f32, as SPION does.
    at::globalContext().setFloat32MatmulPrecision("high");
    RETURN_IF_ERROR(CheckAll(measurements));
    const GpuInfo gpu = GetGpuInfo();
    const double bandwidth = AddContext(gpu, options);
    measurer =
        std::make_shared<Measurer>(DeviceTimer(options.flush_l2 ? 2 * gpu.l2_bytes : 0), bandwidth);
  }
  for (const Measurement& measurement : measurements) {
    list.Add(
        measurement.name,
        [measurer, measurement](benchmark::State& state) { measurer->Run(state, measurement); },
        Clock::kManual);
  }
  return absl::OkStatus();
}

}  // namespace spion
