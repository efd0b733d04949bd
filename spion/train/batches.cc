#include "spion/train/batches.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr char kOrder[] = "order.examples";
constexpr char kPosition[] = "order.position";
constexpr char kRandom[] = "order.random";

// Where parts of a batch begin: any type may lie there, and the kernels read 16 bytes at a time.
constexpr int64_t kAlignment = 16;

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Where the parts of a batch lie in its bytes.
struct BatchPlaces {
  BatchPlaces(const TaskShape& shape, int64_t examples)
      : rows(examples * shape.sequences_per_example),
        labels(Aligned(rows * shape.sequence_length * static_cast<int64_t>(sizeof(int32_t)))),
        lengths(labels + Aligned(examples * static_cast<int64_t>(sizeof(int64_t)))),
        bytes(lengths + Aligned(rows * static_cast<int64_t>(sizeof(int32_t)))) {}

  int64_t rows;  // sequences; their ids come first
  int64_t labels;
  int64_t lengths;
  int64_t bytes;
};

}  // namespace

Batch BatchMaker::Arrange(const at::Tensor& storage, int64_t examples) const {
  const TaskShape& shape = split_.shape();
  const BatchPlaces places(shape, examples);
  const auto part = [&](int64_t first, int64_t end, at::ScalarType type) {
    return storage.slice(0, first, end).view(type);
  };
  Batch batch{.ids = part(0, places.labels, at::kInt)
                         .slice(0, 0, places.rows * shape.sequence_length)
                         .view({examples, shape.sequences_per_example, shape.sequence_length}),
              .labels = part(places.labels, places.lengths, at::kLong).slice(0, 0, examples),
              .lengths = {},
              .storage = storage};
  if (shape.has_padding) {
    batch.lengths = part(places.lengths, places.bytes, at::kInt).slice(0, 0, places.rows);
  }
  return batch;
}

// From pinned memory a copy to the GPU goes on while the host does; LibTorch keeps the memory until
// the copy is done.
at::Tensor BatchMaker::Bytes(absl::Span<const int64_t> examples) const {
  const TaskShape& shape = split_.shape();
  const auto count = static_cast<int64_t>(examples.size());
  const at::Tensor storage =
      at::empty({BatchPlaces(shape, count).bytes},
                at::TensorOptions(at::kByte).pinned_memory(device_.is_cuda()));
  const Batch batch = Arrange(storage, count);
  auto* ids = batch.ids.mutable_data_ptr<int32_t>();
  auto* labels = batch.labels.mutable_data_ptr<int64_t>();
  auto* lengths = batch.lengths.has_value() ? batch.lengths->mutable_data_ptr<int32_t>() : nullptr;
  for (const int64_t example : examples) {
    *labels++ = split_.label(example);
    for (int sequence = 0; sequence < shape.sequences_per_example; ++sequence) {
      split_.ReadIds(example, sequence,
                     absl::MakeSpan(ids, static_cast<size_t>(shape.sequence_length)));
      ids += shape.sequence_length;
      if (lengths != nullptr) *lengths++ = split_.length(example, sequence);
    }
  }
  return storage;
}

Batch BatchMaker::Make(absl::Span<const int64_t> examples) const {
  return Arrange(Bytes(examples).to(device_, /*non_blocking=*/true),
                 static_cast<int64_t>(examples.size()));
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

void ShuffledOrder::SaveTo(TrainingState& state) const {
  state.Put(kOrder, at::from_blob(const_cast<int64_t*>(order_.data()),  // only read
                                  {static_cast<int64_t>(order_.size())}, at::kLong));
  state.PutValue(kPosition, position_);
  state.PutValue(kRandom, random_.state());
}

absl::Status ShuffledOrder::RestoreFrom(const TrainingState& state) {
  const at::Tensor order =
      at::from_blob(order_.data(), {static_cast<int64_t>(order_.size())}, at::kLong);
  RETURN_IF_ERROR(state.CopyTo(kOrder, order));
  ASSIGN_OR_RETURN(position_, state.Value<size_t>(kPosition));
  ASSIGN_OR_RETURN(const Random::State random, state.Value<Random::State>(kRandom));
  const auto outside = [this](int64_t example) {
    return example < 0 || example >= static_cast<int64_t>(order_.size());
  };
  if (position_ > order_.size() || random == Random::State{} ||
      std::any_of(order_.begin(), order_.end(), outside)) {
    return absl::DataLossError(
        absl::StrCat("the state's order of examples is none of ", order_.size(), " examples"));
  }
  random_ = Random::FromState(random);
  return absl::OkStatus();
}

}  // namespace spion
