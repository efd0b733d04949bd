#include "spion/pattern/block_pooling.h"

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "spion/base/status.h"

namespace spion {
namespace {

// Sum of a run of values. Four partial sums, because one alone would wait for itself at every
// addition and could not be vectorised.
template <typename T>
double Sum(const T* values, int count) {
  constexpr int kLanes = 4;
  double lanes[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
  }
  for (; i < count; ++i) lanes[0] += values[i];
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

}  // namespace

BlockPooler::BlockPooler(int blocks_per_side, int block_size)
    : block_size_(block_size),
      sums_{blocks_per_side, std::vector<double>(int64_t{blocks_per_side} * blocks_per_side, 0.0)} {
}

absl::StatusOr<BlockPooler> BlockPooler::Create(int64_t side, int block_size) {
  if (block_size < 1) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "block pooling: block size %d, expected at least 1 (usual: 32 or 64)", block_size));
  }
  if (side < 1 || side % block_size != 0) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "block pooling: side %d, expected a positive multiple of the block size %d; pad the "
        "sequence or choose a block size that divides it",
        side, block_size));
  }
  const int64_t blocks_per_side = side / block_size;
  if (blocks_per_side > std::numeric_limits<int>::max()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "block pooling: %d blocks a side, expected fewer than 2^31; use a larger block",
        blocks_per_side));
  }
  return BlockPooler(static_cast<int>(blocks_per_side), block_size);
}

template <typename T>
void BlockPooler::Add(absl::Span<const T> row) {
  double* const sums = sums_.values.data() + rows_seen_ / block_size_ * sums_.side;
  for (int64_t block = 0; block < sums_.side; ++block) {
    sums[block] += Sum(row.data() + block * block_size_, block_size_);
  }
  ++rows_seen_;
}

void BlockPooler::AddRow(absl::Span<const float> row) { Add(row); }
void BlockPooler::AddRow(absl::Span<const double> row) { Add(row); }

BlockScores BlockPooler::Finish() && {
  const double area = static_cast<double>(block_size_) * block_size_;
  for (double& sum : sums_.values) sum /= area;
  return std::move(sums_);
}

absl::StatusOr<BlockScores> AveragePool(MapView map, int block_size) {
  RETURN_IF_ERROR(CheckShape(map));
  ASSIGN_OR_RETURN(BlockPooler pooler, BlockPooler::Create(map.side, block_size));
  for (int64_t row = 0; row < map.side; ++row) pooler.AddRow(map.row(row));
  return std::move(pooler).Finish();
}

}  // namespace spion
