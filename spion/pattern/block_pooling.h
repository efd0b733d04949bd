// Block pooling: the average of every b x b block of an L x L map, stride b -> n x n scores.
//
//   ASSIGN_OR_RETURN(BlockScores scores, AveragePool({values, 4096}, /*block_size=*/64));
//   // n = 64
//
// BlockPooler does the same for rows that come one at a time, so that what makes them needs no L x
// L store. Sums are doubles. A block that holds an entry that is not finite gets a score that is
// not finite, and no other block does.
//
// Errors: InvalidArgument if the block size is not positive, does not divide the side, or leaves
// 2^31 blocks a side or more; from AveragePool also as CheckShape.
// Source: SPION, arXiv 2309.12578.
#ifndef SPION_PATTERN_BLOCK_POOLING_H_
#define SPION_PATTERN_BLOCK_POOLING_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "spion/pattern/block_scores.h"
#include "spion/pattern/map_view.h"

namespace spion {

absl::StatusOr<BlockScores> AveragePool(MapView map, int block_size);

class BlockPooler {
 public:
  static absl::StatusOr<BlockPooler> Create(int64_t side, int block_size);

  /// The next row of the map; to be called exactly `side` times with `side` values.
  void AddRow(absl::Span<const float> row);
  void AddRow(absl::Span<const double> row);

  /// The averages, after the last row.
  BlockScores Finish() &&;

 private:
  BlockPooler(int blocks_per_side, int block_size);

  template <typename T>
  void Add(absl::Span<const T> row);

  int block_size_;
  int64_t rows_seen_ = 0;
  BlockScores sums_;
};

}  // namespace spion

#endif  // SPION_PATTERN_BLOCK_POOLING_H_
