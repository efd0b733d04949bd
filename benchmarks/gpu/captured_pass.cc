#include "benchmarks/gpu/captured_pass.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <utility>

namespace spion {
namespace {

// Libraries choose algorithms and allocate workspaces in the first passes.
constexpr int kWarmUpPasses = 3;

std::function<std::vector<at::Tensor>()> MakeRun(const AttentionProblem& problem,
                                                 const AttentionFunction& attention, Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return [=] { return std::vector<at::Tensor>{RunForward(problem, attention)}; };
    case Pass::kBackward:
      return [problem, out = RunTrainingForward(problem, attention)] {
        return RunBackward(problem, out);
      };
    case Pass::kBoth:
      return [=] { return RunBoth(problem, attention); };
  }
  return {};
}

int64_t PeakBytes(const std::function<std::vector<at::Tensor>()>& run) {
  const auto aggregate = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const c10::DeviceIndex device = c10::cuda::current_device();
  c10::DeviceAllocator* allocator = c10::getDeviceAllocator(at::kCUDA);
  allocator->resetPeakStats(device);
  const int64_t before = allocator->getDeviceStats(device).allocated_bytes[aggregate].current;
  run();
  c10::cuda::device_synchronize();
  return allocator->getDeviceStats(device).allocated_bytes[aggregate].peak - before;
}

}  // namespace

CapturedPass::CapturedPass(AttentionProblem problem, AttentionFunction attention, Pass pass)
    : problem_(std::move(problem)), run_(MakeRun(problem_, attention, pass)) {
  for (int i = 0; i < kWarmUpPasses; ++i) run_();
  c10::cuda::device_synchronize();
  peak_bytes_ = PeakBytes(run_);
  // The graph has memory of its own, and while it is captured no cached block can be given back.
  c10::getDeviceAllocator(at::kCUDA)->emptyCache();
  Capture();
  Replay();
  c10::cuda::device_synchronize();
}

void CapturedPass::Capture() {
  graph_.capture_begin();
  try {
    results_ = run_();
  } catch (...) {
    try {
      graph_.capture_end();  // or the stream would go on capturing
    } catch (const std::exception&) {
      // A broken capture ends with an error; the first one says why.
    }
    throw;
  }
  graph_.capture_end();
}

}  // namespace spion
