#include "spion/pattern/block_pattern.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr int kMaxBlocksPerSide = 65536;

absl::Status CheckKept(int64_t kept) {
  constexpr int64_t kMaxKept = std::numeric_limits<int32_t>::max();
  if (kept > kMaxKept) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "BlockPattern: %d blocks kept, expected at most %d; use a larger block", kept, kMaxKept));
  }
  return absl::OkStatus();
}

// The other view of the same blocks. Walking the lines in order leaves each new line ascending.
BlockLines Transpose(const BlockLines& lines) {
  const size_t count = lines.offsets.size() - 1;
  BlockLines transposed{std::vector<int32_t>(count + 1, 0),
                        std::vector<int32_t>(lines.indices.size())};
  for (const int32_t index : lines.indices) ++transposed.offsets[index + 1];
  for (size_t i = 0; i < count; ++i) transposed.offsets[i + 1] += transposed.offsets[i];
  std::vector<int32_t> next(transposed.offsets.begin(), transposed.offsets.end() - 1);
  for (size_t line = 0; line < count; ++line) {
    for (int32_t e = lines.offsets[line]; e < lines.offsets[line + 1]; ++e) {
      transposed.indices[next[lines.indices[e]]++] = static_cast<int32_t>(line);
    }
  }
  return transposed;
}

absl::Span<const int32_t> Line(const BlockLines& lines, int index) {
  return absl::MakeConstSpan(lines.indices)
      .subspan(lines.offsets[index], lines.offsets[index + 1] - lines.offsets[index]);
}

}  // namespace

BlockPattern::BlockPattern(int blocks_per_side, int block_size, BlockLines rows)
    : blocks_per_side_(blocks_per_side),
      block_size_(block_size),
      rows_(std::move(rows)),
      columns_(Transpose(rows_)) {}

absl::Status BlockPattern::CheckSizes(int64_t blocks_per_side, int block_size) {
  if (blocks_per_side < 1 || blocks_per_side > kMaxBlocksPerSide) {
    return absl::InvalidArgumentError(
        absl::StrFormat("BlockPattern: %d blocks a side, expected 1 to %d; use a larger block for "
                        "a longer sequence",
                        blocks_per_side, kMaxBlocksPerSide));
  }
  if (block_size < 1) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "BlockPattern: block size %d, expected at least 1 (usual: 32 or 64)", block_size));
  }
  return absl::OkStatus();
}

absl::StatusOr<BlockPattern> BlockPattern::FromBlocks(int blocks_per_side, int block_size,
                                                      absl::Span<const Block> blocks) {
  RETURN_IF_ERROR(CheckSizes(blocks_per_side, block_size));
  for (const Block& block : blocks) {
    if (block.row < 0 || block.row >= blocks_per_side || block.column < 0 ||
        block.column >= blocks_per_side) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "BlockPattern: block (%d, %d) lies outside; rows and columns count blocks, from 0 to %d",
          block.row, block.column, blocks_per_side - 1));
    }
  }
  // Sorted rather than marked in an n x n mask: a sparse pattern of a long sequence stays cheap.
  std::vector<Block> kept(blocks.begin(), blocks.end());
  for (int32_t i = 0; i < blocks_per_side; ++i) kept.push_back({i, i});
  std::sort(kept.begin(), kept.end(), [](const Block& a, const Block& b) {
    return std::pair(a.row, a.column) < std::pair(b.row, b.column);
  });
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  RETURN_IF_ERROR(CheckKept(static_cast<int64_t>(kept.size())));

  BlockLines rows;
  rows.offsets.assign(blocks_per_side + 1, 0);
  rows.indices.reserve(kept.size());
  for (const Block& block : kept) {
    rows.indices.push_back(block.column);
    rows.offsets[block.row + 1] = static_cast<int32_t>(rows.indices.size());
  }
  return BlockPattern(blocks_per_side, block_size, std::move(rows));
}

absl::StatusOr<BlockPattern> BlockPattern::FromMask(int blocks_per_side, int block_size,
                                                    absl::Span<const uint8_t> mask) {
  RETURN_IF_ERROR(CheckSizes(blocks_per_side, block_size));
  const size_t n = static_cast<size_t>(blocks_per_side);
  if (mask.size() != n * n) {
    return absl::InvalidArgumentError(
        absl::StrFormat("BlockPattern: mask of %d entries, expected %d (%d blocks a side, squared)",
                        mask.size(), n * n, n));
  }
  const int64_t set = static_cast<int64_t>(mask.size()) -
                      std::count(mask.begin(), mask.end(), static_cast<uint8_t>(0));
  RETURN_IF_ERROR(CheckKept(set + blocks_per_side));

  BlockLines rows;
  rows.offsets.assign(n + 1, 0);
  rows.indices.reserve(set + n);
  for (size_t row = 0; row < n; ++row) {
    for (size_t column = 0; column < n; ++column) {
      if (mask[row * n + column] != 0 || row == column) {
        rows.indices.push_back(static_cast<int32_t>(column));
      }
    }
    rows.offsets[row + 1] = static_cast<int32_t>(rows.indices.size());
  }
  return BlockPattern(blocks_per_side, block_size, std::move(rows));
}

absl::Span<const int32_t> BlockPattern::columns_of_row(int row) const { return Line(rows_, row); }

absl::Span<const int32_t> BlockPattern::rows_of_column(int column) const {
  return Line(columns_, column);
}

bool BlockPattern::contains(int row, int column) const {
  const absl::Span<const int32_t> columns = columns_of_row(row);
  return std::binary_search(columns.begin(), columns.end(), column);
}

std::vector<Block> BlockPattern::blocks() const {
  std::vector<Block> blocks;
  blocks.reserve(rows_.indices.size());
  for (int32_t row = 0; row < blocks_per_side_; ++row) {
    for (const int32_t column : columns_of_row(row)) blocks.push_back({row, column});
  }
  return blocks;
}

std::vector<uint8_t> BlockPattern::mask() const {
  std::vector<uint8_t> mask(total_blocks(), 0);
  for (const Block& block : blocks()) {
    mask[int64_t{block.row} * blocks_per_side_ + block.column] = 1;
  }
  return mask;
}

bool operator==(const BlockPattern& a, const BlockPattern& b) {
  return a.blocks_per_side_ == b.blocks_per_side_ && a.block_size_ == b.block_size_ &&
         a.rows_.offsets == b.rows_.offsets && a.rows_.indices == b.rows_.indices;
}

}  // namespace spion
