#include "spion/train/batches.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
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

// From pinned memory a copy to the GPU goes on while the host does; LibTorch keeps the memory until
// the copy is done.
at::Tensor HostTensor(at::IntArrayRef sizes, at::ScalarType type, c10::Device device) {
  return at::empty(sizes, at::TensorOptions(type).pinned_memory(device.is_cuda()));
}

at::Tensor Send(const at::Tensor& host, c10::Device device) {
  return host.to(device, /*non_blocking=*/device.is_cuda());
}

}  // namespace

BatchMaker::BatchMaker(const Split& split, c10::Device device, bool resident)
    : split_(split), device_(device) {
  if (!resident || split.bytes().empty()) return;
  bytes_ = at::from_blob(const_cast<uint8_t*>(split.bytes().data()),  // only read
                         {static_cast<int64_t>(split.bytes().size())}, at::kByte)
               .to(device, /*non_blocking=*/false, /*copy=*/true);
  steps_ = at::arange(split.shape().sequence_length, at::TensorOptions(at::kLong).device(device));
}

Batch BatchMaker::Make(absl::Span<const int64_t> examples) const {
  const TaskShape& shape = split_.shape();
  const auto count = static_cast<int64_t>(examples.size());
  const int64_t sequences = shape.sequences_per_example;
  const int64_t rows = count * sequences;
  const at::Tensor labels = HostTensor({count}, at::kLong, device_);
  const at::Tensor lengths = HostTensor({rows}, at::kInt, device_);
  const at::Tensor starts = HostTensor({rows}, at::kLong, device_);
  auto* label_data = labels.mutable_data_ptr<int64_t>();
  auto* length_data = lengths.mutable_data_ptr<int32_t>();
  auto* start_data = starts.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    label_data[i] = split_.label(examples[i]);
    for (int s = 0; s < sequences; ++s) {
      length_data[i * sequences + s] = split_.length(examples[i], s);
      start_data[i * sequences + s] = split_.start(examples[i], s);
    }
  }
  Batch batch{.ids = {}, .labels = Send(labels, device_), .lengths = {}};
  const at::Tensor lengths_there = Send(lengths, device_);
  if (shape.has_padding) batch.lengths = lengths_there;

  if (bytes_.defined()) {
    const at::Tensor positions =
        (Send(starts, device_).unsqueeze(1) + steps_).clamp_max_(bytes_.numel() - 1);
    batch.ids = bytes_.index_select(0, positions.view(-1))
                    .to(at::kLong)
                    .add_(split_.first_id())
                    .view({rows, shape.sequence_length})
                    .masked_fill_(steps_ >= lengths_there.unsqueeze(1), 0)
                    .view({count, sequences, shape.sequence_length});
    return batch;
  }
  const at::Tensor ids = HostTensor({count, sequences, shape.sequence_length}, at::kLong, device_);
  auto* id_data = ids.mutable_data_ptr<int64_t>();
  for (int64_t row = 0; row < rows; ++row) {
    split_.ReadIds(examples[row / sequences], static_cast<int>(row % sequences),
                   absl::MakeSpan(id_data + row * shape.sequence_length,
                                  static_cast<size_t>(shape.sequence_length)));
  }
  batch.ids = Send(ids, device_);
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
