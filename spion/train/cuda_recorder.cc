// The recorder of CUDA devices: LibTorch's CUDA graphs.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "spion/train/recorder.h"

namespace spion {
namespace {

class CudaGraph : public Recording {
 public:
  explicit CudaGraph(const std::function<void()>& work) {
    // The legacy stream, on which programs run, cannot be recorded.
    c10::cuda::device_synchronize();
    {
      const c10::cuda::CUDAStreamGuard on_stream(c10::cuda::getStreamFromPool());
      graph_.capture_begin();
      try {
        work();
      } catch (...) {
        EndFailedCapture();
        throw;
      }
      graph_.capture_end();
    }
    c10::cuda::device_synchronize();
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
  RegisterRecorder(c10::DeviceType::CUDA, [](const std::function<void()>& work) {
    return std::unique_ptr<Recording>(new CudaGraph(work));
  });
  return true;
}();

}  // namespace
}  // namespace spion
