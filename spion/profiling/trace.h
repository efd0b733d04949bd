// A trace of some training steps as a file that Perfetto and chrome://tracing open: LibTorch's
// operators, on a GPU its kernels too, and SPION's ranges ("spion:forward",
// "spion:attention_forward layer 0, 70 blocks").
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Trace> trace, Trace::Create(options));
//   for (int64_t step = 1; step <= steps; ++step) {
//     if (trace->StartsAt(step)) trace->Start();
//     ... the step ...
//     if (trace->EndsAt(step)) RETURN_IF_ERROR(trace->Write());
//   }
//
// A range has a "Sequence number", as operators have: that of the next autograd node. The event of
// a node in the backward pass has the node's own, which tells the range that it was made in.
//
// The recording is LibTorch's profiler; a phase, being open before the trace begins, is not in it:
// the steps' ranges (dense_step, sparse_step) tell the phases apart.
#ifndef SPION_PROFILING_TRACE_H_
#define SPION_PROFILING_TRACE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "spion/profiling/range.h"

namespace spion {

struct TraceOptions {
  std::string path;
  /// Counted from 1, both included.
  int64_t first_step = 1;
  int64_t last_step = 1;
  /// What the steps run on: a GPU's kernels are recorded too.
  c10::Device device = c10::kCPU;
};

/// One at a time. Start and Write are called from one thread, with no ProfileRange open.
class Trace {
 public:
  /// Makes the file's folder, and makes sure that it can be written, by making `path + ".partial"`.
  /// Errors: the system's, naming the file; FailedPrecondition if `path` is a folder or no file;
  /// InvalidArgument if it is not UTF-8, as the trace has it in its JSON.
  static absl::StatusOr<std::unique_ptr<Trace>> Create(const TraceOptions& options);
  /// Without Write, nothing is left of the trace.
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  const TraceOptions& options() const { return options_; }
  bool StartsAt(int64_t step) const { return step == options_.first_step; }
  bool EndsAt(int64_t step) const { return is_running_ && step == options_.last_step; }
  bool is_running() const { return is_running_; }

  void Start();
  /// Waits for the device, ends the recording and puts the file in place. Errors: Internal or the
  /// system's, naming the file; nothing is left of the trace then.
  absl::Status Write();

 private:
  class Listener;

  explicit Trace(const TraceOptions& options);
  absl::Status Save();
  void RemovePartial() const;

  TraceOptions options_;
  std::string partial_;
  std::unique_ptr<RangeListener> listener_;
  bool is_running_ = false;
};

}  // namespace spion

#endif  // SPION_PROFILING_TRACE_H_
