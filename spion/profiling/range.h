// Named ranges of a program's run, for whoever watches it: an NVTX tool (Nsight Systems) and the
// trace of trace.h.
//
//   {
//     ProfileRange range(Region::kAttentionForward, {.layer = 0, .kept_blocks = 70});
//     ... launch the kernels ...
//   }
//
// NVTX sees them in the domain "spion": the region's name is a registered string, the layer is the
// category ("layer 0"), the number of kept blocks is the payload (int64). With nobody watching, a
// range costs some 8 ns. A build without a CUDA toolkit has no NVTX: its ranges are seen by the
// trace alone.
//
// No LibTorch in here: every floor above spion/base may open ranges.
#ifndef SPION_PROFILING_RANGE_H_
#define SPION_PROFILING_RANGE_H_

#include <cstdint>

namespace spion {

/// What a range is about. range.cc has the names.
enum class Region {
  // Phases of a training run; the single one of a method that has no other.
  kDensePhase,
  kSparsePhase,
  kSinglePhase,
  // One training step, by its phase.
  kDenseStep,
  kSparseStep,
  kSingleStep,
  // Parts of a step.
  kData,
  kForward,
  kBackward,
  kOptimizer,
  // Parts of the forward pass. The backward pass of each is told by the trace (trace.h).
  kResidualStream,
  kProjections,
  kAttention,
  kMlp,
  kClassifier,
  // Parts of an attention whose scores are in memory.
  kScores,
  kSoftmax,
  kWeightedSum,
  // Between steps.
  kCapture,
  kPatternSearch,
  kEvaluation,
  // The operators.
  kAttentionForward,
  kAttentionBackward,
  kAttentionMap,
};
inline constexpr int kRegions = static_cast<int>(Region::kAttentionMap) + 1;

/// "attention_forward": lower case, words joined by underscores. Never null.
const char* RegionName(Region region);

/// What more there is to say of a range; -1: nothing.
struct RangeLabel {
  int layer = -1;
  int64_t kept_blocks = -1;
};

/// Hears of every ProfileRange of the process, on the thread that opens and closes it.
class RangeListener {
 public:
  virtual ~RangeListener() = default;
  /// Returns what Close is given at the range's end.
  virtual void* Open(Region region, const RangeLabel& label) = 0;
  virtual void Close(void* opened) = 0;
};

/// From now on `listener` hears of the ranges that open; null: nobody does. It must outlive the
/// ranges that it heard open.
void SetRangeListener(RangeListener* listener);

/// A range from here to the end of the scope. Ranges of one thread nest.
class ProfileRange {
 public:
  explicit ProfileRange(Region region, const RangeLabel& label = {});
  ~ProfileRange();
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;

 private:
  RangeListener* listener_;
  void* opened_ = nullptr;
};

/// What `make` returns, made in a range.
template <class Make>
auto InRange(Region region, const Make& make) {
  const ProfileRange range(region);
  return make();
}

/// A long range that may overlap with others in any way: a phase of training. NVTX alone sees it,
/// as a start/end range.
class ProfilePhase {
 public:
  explicit ProfilePhase(Region region, const RangeLabel& label = {});
  ~ProfilePhase();
  ProfilePhase(const ProfilePhase&) = delete;
  ProfilePhase& operator=(const ProfilePhase&) = delete;

 private:
  uint64_t id_;
};

}  // namespace spion

#endif  // SPION_PROFILING_RANGE_H_
