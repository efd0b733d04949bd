// For the loaders' tests.
#ifndef SPION_DATA_READ_IDS_H_
#define SPION_DATA_READ_IDS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "spion/data/task.h"

namespace spion {

/// The ids of one of an example's sequences, padding included.
inline std::vector<int32_t> Ids(const Split& split, int64_t example, int sequence = 0) {
  std::vector<int32_t> ids(split.shape().sequence_length, -1);
  split.ReadIds(example, sequence, absl::MakeSpan(ids));
  return ids;
}

}  // namespace spion

#endif  // SPION_DATA_READ_IDS_H_
