#include "spion/collective/group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <numeric>

namespace spion {
namespace {

at::Tensor Bytes(const std::string& text) {
  return at::from_blob(const_cast<char*>(text.data()),  // only read
                       {static_cast<int64_t>(text.size())}, at::kByte)
      .clone();
}

std::string Text(const at::Tensor& bytes) {
  const auto* data = bytes.const_data_ptr<uint8_t>();
  return {data, data + bytes.numel()};
}

}  // namespace

Group& AloneGroup() {
  static Alone alone;
  return alone;
}

std::unique_ptr<Group::StartedSum> Group::StartSum(const at::Tensor& tensor) {
  struct Done : StartedSum {
    void Wait() override {}
  };
  Sum(tensor);
  return std::make_unique<Done>();
}

void Group::Mean(const at::Tensor& tensor) {
  if (ranks_ == 1) return;
  Sum(tensor);
  at::Tensor mean = tensor;
  mean.div_(ranks_);
}

std::vector<int64_t> Group::Gather(int64_t mine) {
  if (ranks_ == 1) return {mine};
  const at::Tensor all = at::zeros({ranks_}, at::kLong);
  all.mutable_data_ptr<int64_t>()[rank_] = mine;
  Sum(all);
  const auto* values = all.const_data_ptr<int64_t>();
  return {values, values + ranks_};
}

bool Group::Any(bool mine) {
  const std::vector<int64_t> all = Gather(mine ? 1 : 0);
  return std::any_of(all.begin(), all.end(), [](int64_t one) { return one != 0; });
}

std::string Group::Broadcast(const std::string& text) {
  if (ranks_ == 1) return text;
  const int64_t size = Gather(static_cast<int64_t>(text.size())).front();
  const at::Tensor bytes = leads() ? Bytes(text) : at::empty({size}, at::kByte);
  if (size > 0) Broadcast(bytes);
  return Text(bytes);
}

// Each in its own part of one long text. A sum of numbers is what every kind of group has.
std::vector<std::string> Group::Gather(const std::string& mine) {
  if (ranks_ == 1) return {mine};
  const std::vector<int64_t> sizes = Gather(static_cast<int64_t>(mine.size()));
  const auto begin = std::accumulate(sizes.begin(), sizes.begin() + rank_, int64_t{0});
  const at::Tensor all =
      at::zeros({std::accumulate(sizes.begin(), sizes.end(), int64_t{0})}, at::kLong);
  std::copy(mine.begin(), mine.end(), all.mutable_data_ptr<int64_t>() + begin);
  if (all.numel() > 0) Sum(all);
  std::vector<std::string> texts;
  const auto* next = all.const_data_ptr<int64_t>();
  for (const int64_t size : sizes) {
    std::string& text = texts.emplace_back();
    for (int64_t i = 0; i < size; ++i) text.push_back(static_cast<char>(*next++));
  }
  return texts;
}

}  // namespace spion
