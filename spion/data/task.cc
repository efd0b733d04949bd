#include "spion/data/task.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spion {
namespace {

// What of an example the shape does not allow; empty where it is of the shape.
std::string FindFault(const TaskShape& shape, absl::Span<const absl::Span<const uint8_t>> sequences,
                      int32_t label) {
  if (label < 0 || label >= shape.classes) {
    return absl::StrFormat("label %d, but there are %d classes, counted from 0", label,
                           shape.classes);
  }
  if (sequences.size() != static_cast<size_t>(shape.sequences_per_example)) {
    return absl::StrFormat("%d sequences, but an example has %d", sequences.size(),
                           shape.sequences_per_example);
  }
  const int first_id = shape.has_padding ? 1 : 0;
  for (const absl::Span<const uint8_t> sequence : sequences) {
    if (!shape.has_padding && sequence.size() != static_cast<size_t>(shape.cut_length())) {
      return absl::StrFormat("a sequence of %d ids, but without padding all are %d long",
                             sequence.size(), shape.cut_length());
    }
    // Where bytes cannot be out of range, none is looked at.
    if (shape.vocabulary > first_id + 255 || sequence.empty()) continue;
    const int largest = first_id + *std::max_element(sequence.begin(), sequence.end());
    if (largest >= shape.vocabulary) {
      return absl::StrFormat("id %d, but the vocabulary is %d, counted from 0", largest,
                             shape.vocabulary);
    }
  }
  return "";
}

}  // namespace

void Split::Reserve(int64_t examples) {
  const int64_t rows = examples * shape_.sequences_per_example;
  bytes_.reserve(bytes_.size() + rows * shape_.sequence_length);
  ends_.reserve(ends_.size() + rows);
  cut_.reserve(cut_.size() + rows);
  labels_.reserve(labels_.size() + examples);
}

void Split::AddExample(absl::Span<const absl::Span<const uint8_t>> sequences, int32_t label) {
  if (std::string fault = FindFault(shape_, sequences, label); !fault.empty()) {
    if (fault_.empty()) {
      faulty_example_ = examples();
      fault_ = std::move(fault);
    }
    return;
  }
  for (absl::Span<const uint8_t> sequence : sequences) {
    const auto limit = static_cast<size_t>(shape_.cut_length());
    const absl::Span<const uint8_t> kept = sequence.first(std::min(sequence.size(), limit));
    bytes_.insert(bytes_.end(), kept.begin(), kept.end());
    ends_.push_back(ends_.back() + static_cast<int64_t>(kept.size()));
    cut_.push_back(kept.size() < sequence.size());
  }
  labels_.push_back(label);
}

void Split::ShortenTo(int length) {
  assert(shape_.has_padding && length <= shape_.sequence_length);
  shape_.sequence_length = length;
}

int Split::length(int64_t example, int sequence) const {
  const int64_t row = Row(example, sequence);
  return static_cast<int>(std::min<int64_t>(ends_[row + 1] - ends_[row], shape_.sequence_length));
}

bool Split::is_cut(int64_t example, int sequence) const {
  const int64_t row = Row(example, sequence);
  return cut_[row] || ends_[row + 1] - ends_[row] > shape_.sequence_length;
}

std::string Split::name(int64_t example) const {
  return name_ ? name_(example) : absl::StrCat("example ", example);
}

std::string Split::fault() const {
  return fault_.empty() ? "" : absl::StrCat(name(faulty_example_), " has ", fault_);
}

void Split::ReadIds(int64_t example, int sequence, absl::Span<int32_t> ids) const {
  assert(ids.size() == static_cast<size_t>(shape_.sequence_length));
  const auto* begin = bytes_.data() + ends_[Row(example, sequence)];
  const int first_id = shape_.has_padding ? 1 : 0;
  auto rest = std::transform(begin, begin + length(example, sequence), ids.begin(),
                             [&](uint8_t byte) { return byte + first_id; });
  std::fill(rest, ids.end(), 0);
}

void TaskData::ShortenTo(int length) {
  if (!shape.has_padding || shape.sequence_length <= length) return;
  shape.sequence_length = length;
  for (Split* split : {&train, &dev, &test}) split->ShortenTo(length);
}

std::string TaskData::Counts() const {
  return absl::StrFormat("%d train, %d dev, %d test", train.examples(), dev.examples(),
                         test.examples());
}

}  // namespace spion
