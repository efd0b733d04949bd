// BlockPattern: which b x b blocks of an L x L attention matrix are computed.
//
//   ASSIGN_OR_RETURN(BlockPattern p, BlockPattern::FromBlocks(/*blocks_per_side=*/32,
//                                                             /*block_size=*/32,
//                                                             {{2, 8}, {2, 9}}));
//   p.kept_blocks();           // 34: the diagonal and two more
//   for (int column : p.columns_of_row(2)) ...   // 2, 8, 9
//
// A value type: n x n blocks, immutable, the main diagonal always kept, as the method has it (arXiv
// 2309.12578): a row that may not even see itself would have no key at all. Held as block CSR and
// block CSC at once, because the forward pass walks rows and the gradients of K and V walk columns.
#ifndef SPION_PATTERN_BLOCK_PATTERN_H_
#define SPION_PATTERN_BLOCK_PATTERN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace spion {

/// Position of one block, in blocks.
struct Block {
  int32_t row;
  int32_t column;
  friend bool operator==(const Block&, const Block&) = default;
};

/// One compressed view: the entries of line i are indices[offsets[i] .. offsets[i + 1]), ascending.
struct BlockLines {
  std::vector<int32_t> offsets;  // [n + 1]
  std::vector<int32_t> indices;  // [kept]
};

class BlockPattern {
 public:
  /// Whether a pattern may have these, before its blocks are made.
  /// Errors: InvalidArgument if a size is not positive, or n > 65,536.
  static absl::Status CheckSizes(int64_t blocks_per_side, int block_size);

  /// The given blocks and the main diagonal. Blocks may come in any order and more than once.
  /// Errors: InvalidArgument if a size is not positive, n > 65,536, a block lies outside, or more
  /// than 2^31 - 1 blocks would be kept (offsets are 32 bits wide).
  static absl::StatusOr<BlockPattern> FromBlocks(int blocks_per_side, int block_size,
                                                 absl::Span<const Block> blocks);

  /// From n * n row-major flags, non-zero = kept; the diagonal is added.
  /// Errors: as FromBlocks, and InvalidArgument if mask.size() is not n * n.
  static absl::StatusOr<BlockPattern> FromMask(int blocks_per_side, int block_size,
                                               absl::Span<const uint8_t> mask);

  int blocks_per_side() const { return blocks_per_side_; }
  int block_size() const { return block_size_; }
  /// L = n * b, in tokens.
  int64_t length() const { return int64_t{blocks_per_side_} * block_size_; }
  int64_t kept_blocks() const { return static_cast<int64_t>(rows_.indices.size()); }
  int64_t total_blocks() const { return int64_t{blocks_per_side_} * blocks_per_side_; }

  const BlockLines& rows() const { return rows_; }        // block CSR
  const BlockLines& columns() const { return columns_; }  // block CSC
  absl::Span<const int32_t> columns_of_row(int row) const;
  absl::Span<const int32_t> rows_of_column(int column) const;
  bool contains(int row, int column) const;

  /// All kept blocks, row by row, the diagonal included.
  std::vector<Block> blocks() const;
  /// n * n row-major flags.
  std::vector<uint8_t> mask() const;

  friend bool operator==(const BlockPattern& a, const BlockPattern& b);

 private:
  BlockPattern(int blocks_per_side, int block_size, BlockLines rows);

  int blocks_per_side_;
  int block_size_;
  BlockLines rows_;
  BlockLines columns_;
};

}  // namespace spion

#endif  // SPION_PATTERN_BLOCK_PATTERN_H_
