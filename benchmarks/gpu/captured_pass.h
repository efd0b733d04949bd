// One pass of an attention as a CUDA graph: replaying it costs no work of the CPU's.
#ifndef BENCHMARKS_GPU_CAPTURED_PASS_H_
#define BENCHMARKS_GPU_CAPTURED_PASS_H_

#include <ATen/core/Tensor.h>
#include <ATen/cuda/CUDAGraph.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "benchmarks/attention_pass.h"
#include "benchmarks/attention_problem.h"

namespace spion {

class CapturedPass {
 public:
  /// Runs the pass a few times, measures its memory, and captures it. The current stream must not
  /// be the default one. Throws what `attention` throws, and c10::Error if it cannot be captured:
  /// the stream should not be used any more then.
  CapturedPass(const AttentionProblem& problem, const AttentionFunction& attention, Pass pass);

  /// Enqueues the pass on the current stream.
  void Replay() { graph_.replay(); }

  /// The most device memory that one pass outside the graph held beyond what was there before it
  /// (inputs; for a backward pass, also what the forward pass left).
  int64_t peak_bytes() const { return peak_bytes_; }

 private:
  void Capture();
  /// Ends a capture in which something was thrown.
  void AbandonCapture(c10::MempoolId_t pool);

  std::function<std::vector<at::Tensor>()> run_;  // holds the problem, which the graph reads
  int64_t peak_bytes_ = 0;
  at::cuda::CUDAGraph graph_;
  std::vector<at::Tensor> results_;  // in the graph's memory, which they keep from reuse
};

}  // namespace spion

#endif  // BENCHMARKS_GPU_CAPTURED_PASS_H_
