// The recorder of CUDA devices: LibTorch's CUDA graphs.
#include <ATen/cuda/CUDAContextLight.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>

#include "spion/platform/recorder.h"

namespace spion {
namespace {

// The legacy stream, on which programs run, cannot be recorded. One other for all recordings:
// cuBLAS keeps a workspace for each stream that it has seen.
c10::cuda::CUDAStream RecordingStream(c10::DeviceIndex device) {
  static auto* streams = new std::map<c10::DeviceIndex, c10::cuda::CUDAStream>;
  auto found = streams->find(device);
  if (found == streams->end()) {
    found = streams->emplace(device, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device))
                .first;
  }
  return found->second;
}

class CudaGraph : public Recording {
 public:
  CudaGraph(c10::Device device, const std::function<void()>& work) {
    const c10::cuda::CUDAStreamGuard on_stream(RecordingStream(device.index()));
    c10::cuda::device_synchronize();
    // cuBLAS has a workspace for each thread and stream, and LibTorch never frees any: those of
    // work before would stay beside the recording's, and the recording's, which nobody else may
    // use, beside its memory.
    at::cuda::clearCublasWorkspaces();
    graph_.capture_begin();
    try {
      work();
      graph_.capture_end();
      at::cuda::clearCublasWorkspaces();
    } catch (const c10::OutOfMemoryError&) {
      EndFailedCapture();
      throw;
    } catch (const c10::Error& error) {
      EndFailedCapture();
      TORCH_CHECK(
          false, error.what_without_backtrace(),
          "\n(while a step was recorded as a CUDA graph, which needs memory of its own and "
          "may read no device data on the host; --cuda_graph=false runs each step as it is)");
    } catch (...) {
      EndFailedCapture();
      throw;
    }
  }

  void Replay() override { graph_.replay(); }

 private:
  // Leaves the stream as it was; that the recording is of no use is known already.
  void EndFailedCapture() {
    try {
      graph_.capture_end();
    } catch (const c10::Error&) {
    }
  }

  at::cuda::CUDAGraph graph_;
};

[[maybe_unused]] const bool kIsRegistered = [] {
  RegisterRecorder(c10::DeviceType::CUDA,
                   [](c10::Device device, const std::function<void()>& work) {
                     return std::unique_ptr<Recording>(new CudaGraph(device, work));
                   });
  return true;
}();

}  // namespace
}  // namespace spion
