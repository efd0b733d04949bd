// The two sets of attention benchmarks, named as BenchmarkName says.
#ifndef BENCHMARKS_ATTENTION_SET_H_
#define BENCHMARKS_ATTENTION_SET_H_

#include "absl/status/status.h"
#include "benchmarks/harness.h"

namespace spion {

/// spion, sdpa, dense on the CPU in fp32, by the wall clock.
/// Errors: Internal if an implementation is wrong; nothing should be timed then.
absl::Status AddCpuAttention(BenchmarkList& list);

struct GpuSetOptions {
  /// Whether the GPU's L2 cache is overwritten before each timed pass: the cold figure.
  bool flush_l2 = false;
};

/// spion, spion_any_order (wide cases), dense, sdpa_flash, sdpa_mem_efficient, sdpa_cudnn on the
/// first GPU in bf16, fp16 and f32 (tf32), by CUDA events around replays of a CUDA graph. Adds GPU,
/// driver and copy bandwidth to the JSON context.
/// Errors: Internal if an implementation is wrong; FailedPrecondition in a program without CUDA.
absl::Status AddGpuAttention(BenchmarkList& list, const GpuSetOptions& options);

}  // namespace spion

#endif  // BENCHMARKS_ATTENTION_SET_H_
