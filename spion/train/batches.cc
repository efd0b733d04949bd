#include "spion/train/batches.h"

#include <ATen/ops/empty.h>

#include <numeric>

namespace spion {

Batch MakeBatch(const Split& split, const TaskShape& shape, absl::Span<const int64_t> examples,
                c10::Device device) {
  const auto count = static_cast<int64_t>(examples.size());
  const int64_t sequences = shape.sequences_per_example;
  const int64_t length = shape.sequence_length;
  // From pinned memory a copy to the GPU goes on while the host does; LibTorch keeps the memory
  // until the copy is done.
  const bool pinned = device.is_cuda();
  const auto host = [pinned](at::ScalarType type) {
    return at::TensorOptions(type).pinned_memory(pinned);
  };
  const at::Tensor ids = at::empty({count, sequences, length}, host(at::kLong));
  const at::Tensor labels = at::empty({count}, host(at::kLong));
  const at::Tensor lengths = at::empty({count * sequences}, host(at::kInt));
  auto* id_data = ids.mutable_data_ptr<int64_t>();
  auto* label_data = labels.mutable_data_ptr<int64_t>();
  auto* length_data = lengths.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < count; ++i) {
    label_data[i] = split.label(examples[i]);
    for (int64_t s = 0; s < sequences; ++s) {
      const int64_t row = i * sequences + s;
      split.ReadIds(examples[i], static_cast<int>(s),
                    absl::MakeSpan(id_data + row * length, static_cast<size_t>(length)));
      length_data[row] = split.length(examples[i], static_cast<int>(s));
    }
  }
  Batch batch{.ids = ids.to(device, /*non_blocking=*/pinned),
              .labels = labels.to(device, /*non_blocking=*/pinned),
              .lengths = {}};
  if (shape.has_padding) batch.lengths = lengths.to(device, /*non_blocking=*/pinned);
  return batch;
}

ShuffledOrder::ShuffledOrder(int64_t examples, uint64_t seed)
    : random_(seed), order_(examples), position_(order_.size()) {
  std::iota(order_.begin(), order_.end(), 0);
}

std::vector<int64_t> ShuffledOrder::Next(int64_t count) {
  std::vector<int64_t> next;
  next.reserve(count);
  while (static_cast<int64_t>(next.size()) < count) {
    if (position_ == order_.size()) {
      random_.Shuffle(absl::MakeSpan(order_));
      position_ = 0;
    }
    next.push_back(order_[position_++]);
  }
  return next;
}

}  // namespace spion
