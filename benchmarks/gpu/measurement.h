// One GPU benchmark of attention, and what measures it.
#ifndef BENCHMARKS_GPU_MEASUREMENT_H_
#define BENCHMARKS_GPU_MEASUREMENT_H_

#include <benchmark/benchmark.h>
#include <c10/core/ScalarType.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/attention_pass.h"
#include "benchmarks/benchmark_case.h"
#include "benchmarks/gpu/captured_pass.h"
#include "benchmarks/gpu/device_timer.h"
#include "benchmarks/implementation.h"

namespace spion {

struct GpuDtype {
  const char* name;
  at::ScalarType type;
  int64_t bytes;
};

struct Measurement {
  std::string name;
  BenchmarkCase problem;
  GpuDtype dtype;
  Implementation implementation;
  Pass pass;
};

/// Runs measurements one after the other; what one needs on the GPU is freed when the next begins.
class Measurer {
 public:
  /// `copy_bandwidth`: bytes a second.
  Measurer(DeviceTimer timer, double copy_bandwidth);

  /// For Google Benchmark: a repetition's time is the median of its iterations, in GPU time. What
  /// an implementation throws becomes the benchmark's error. Counters: README.md.
  void Run(benchmark::State& state, const Measurement& measurement);

 private:
  /// What stays between the repetitions of a measurement.
  struct Prepared {
    std::string name;
    std::unique_ptr<CapturedPass> pass;
    std::string error;  // why there is no pass
  };

  void Prepare(const Measurement& measurement);
  void SetCounters(benchmark::State& state, const Measurement& measurement, double seconds);

  DeviceTimer timer_;
  double copy_bandwidth_;
  c10::cuda::CUDAStream stream_;
  Prepared prepared_;
  /// Seconds of the materialised dense attention, by shape, dtype and pass.
  std::map<std::string, std::vector<double>> dense_seconds_;
};

}  // namespace spion

#endif  // BENCHMARKS_GPU_MEASUREMENT_H_
