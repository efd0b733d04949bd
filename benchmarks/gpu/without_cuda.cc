#include "benchmarks/attention_set.h"

namespace spion {

absl::Status AddGpuAttention(BenchmarkList&, const GpuSetOptions&) {
  return absl::FailedPreconditionError(
      "this program was built without CUDA: build it where nvcc and LibTorch's CUDA build are");
}

}  // namespace spion
