// From a split's examples to the tensors that a step takes.
#ifndef SPION_TRAIN_BATCHES_H_
#define SPION_TRAIN_BATCHES_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/data/task.h"
#include "spion/nn/attention.h"
#include "spion/train/training_state.h"

namespace spion {

/// Lies in one piece of memory, so that one copy brings it to a device.
struct Batch {
  at::Tensor ids;      // int32 [B, sequences, L]
  at::Tensor labels;   // int64 [B]
  Lengths lengths;     // int32 [B * sequences] for tasks with padding
  at::Tensor storage;  // uint8: the bytes of all of these
};

/// Makes batches of a split on a device. The split stays on the host.
class BatchMaker {
 public:
  /// The split outlives the maker.
  BatchMaker(const Split& split, c10::Device device) : split_(split), device_(device) {}

  Batch Make(absl::Span<const int64_t> examples) const;
  /// What the storage of the same batch holds, on the host; for a GPU in pinned memory.
  at::Tensor Bytes(absl::Span<const int64_t> examples) const;
  int64_t examples() const { return split_.examples(); }

 private:
  Batch Arrange(const at::Tensor& storage, int64_t examples) const;

  const Split& split_;
  c10::Device device_;
};

/// An endless order of a split's examples: each pass over the split is shuffled anew, and a batch
/// may reach over the end of a pass. The order depends on the seed alone.
class ShuffledOrder {
 public:
  /// `examples` must be positive.
  ShuffledOrder(int64_t examples, uint64_t seed);

  std::vector<int64_t> Next(int64_t count);

  void SaveTo(TrainingState& state) const;
  absl::Status RestoreFrom(const TrainingState& state);

 private:
  Random random_;
  std::vector<int64_t> order_;
  size_t position_;
};

}  // namespace spion

#endif  // SPION_TRAIN_BATCHES_H_
