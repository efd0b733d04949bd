#include "spion/data/cut_sequences.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spion {
namespace {

/// The first example with a sequence that is cut, or -1.
int64_t FirstCut(const Split& split) {
  for (int64_t example = 0; example < split.examples(); ++example) {
    for (int sequence = 0; sequence < split.shape().sequences_per_example; ++sequence) {
      if (split.is_cut(example, sequence)) return example;
    }
  }
  return -1;
}

int64_t CountCuts(const Split& split) {
  int64_t cuts = 0;
  for (int64_t example = 0; example < split.examples(); ++example) {
    for (int sequence = 0; sequence < split.shape().sequences_per_example; ++sequence) {
      cuts += split.is_cut(example, sequence);
    }
  }
  return cuts;
}

std::string Counts(const TaskData& data) {
  const auto of = [&](const Split& split) {
    return absl::StrCat(CountCuts(split), " of ",
                        split.examples() * data.shape.sequences_per_example);
  };
  return absl::StrCat(of(data.train), " train, ", of(data.dev), " dev, ", of(data.test),
                      " test sequences");
}

}  // namespace

std::string DescribeCuts(const TaskData& data) {
  if (!data.shape.has_padding) return "";
  if (CheckNoneIsCut(data).ok()) {
    return absl::StrFormat("; no sequence is longer than %d ids", data.shape.cut_length());
  }
  return absl::StrFormat("; cut to %d ids: %s (%s)", data.shape.cut_length(), Counts(data),
                         data.source.cut_means);
}

absl::Status CheckNoneIsCut(const TaskData& data) {
  for (const auto& [name, split] :
       {std::pair("train", &data.train), {"dev", &data.dev}, {"test", &data.test}}) {
    const int64_t first = FirstCut(*split);
    if (first < 0) continue;
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s (%s) is longer than the %d ids that are read; cut are %s (%s)", split->name(first),
        name, data.shape.cut_length(), Counts(data), data.source.cut_means));
  }
  return absl::OkStatus();
}

}  // namespace spion
