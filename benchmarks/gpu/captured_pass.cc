#include "benchmarks/gpu/captured_pass.h"

#include <ATen/core/CachingHostAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <exception>

#include "benchmarks/peak_bytes.h"

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

}  // namespace

CapturedPass::CapturedPass(const AttentionProblem& problem, const AttentionFunction& attention,
                           Pass pass)
    : run_(MakeRun(problem, attention, pass)) {
  for (int i = 0; i < kWarmUpPasses; ++i) run_();
  c10::cuda::device_synchronize();
  peak_bytes_ = PeakBytes({at::kCUDA, c10::cuda::current_device()}, [&] {
    run_();
    c10::cuda::device_synchronize();
  });
  // The graph has memory of its own, and while it is captured no cached block can be given back.
  c10::getDeviceAllocator(at::kCUDA)->emptyCache();
  Capture();
  Replay();
  c10::cuda::device_synchronize();
}

void CapturedPass::Capture() {
  const c10::MempoolId_t pool = at::cuda::graph_pool_handle();
  graph_.capture_begin(pool);
  try {
    results_ = run_();
  } catch (...) {
    AbandonCapture(pool);
    throw;  // the first error says why
  }
  graph_.capture_end();
}

void CapturedPass::AbandonCapture(c10::MempoolId_t pool) {
  try {
    graph_.capture_end();
  } catch (const std::exception&) {
    // The stream has stopped capturing, but capture_end has not told the allocators, which would
    // ask this graph about later allocations.
    const c10::DeviceIndex device = c10::cuda::current_device();
    c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool);
    c10::cuda::CUDACachingAllocator::releasePool(device, pool);
    at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool);
    at::getHostAllocator(at::kCUDA)->release_pool(pool);
  }
}

}  // namespace spion
