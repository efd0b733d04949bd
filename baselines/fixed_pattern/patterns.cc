#include "baselines/fixed_pattern/patterns.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/random.h"
#include "spion/base/status.h"

namespace spion {
namespace {

absl::Status CheckAtLeast(absl::string_view name, int64_t value, int64_t least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a fixed pattern's ", name, " is at least ", least, "; got ", value));
}

absl::StatusOr<int> BlocksPerSide(int64_t length, int block_size) {
  RETURN_IF_ERROR(CheckAtLeast("length", length, 1));
  RETURN_IF_ERROR(CheckAtLeast("block size", block_size, 1));
  if (length % block_size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("blocks of ", block_size, " do not divide a sequence of ", length,
                     "; choose a length that is a multiple of the block size"));
  }
  // Refused before any rule walks all n * n of them.
  RETURN_IF_ERROR(BlockPattern::CheckSizes(length / block_size, block_size));
  return static_cast<int>(length / block_size);
}

// keeps(row, column) says which blocks a pattern has.
template <class Keeps>
absl::StatusOr<BlockPattern> FromRule(int64_t length, int block_size, const Keeps& keeps) {
  ASSIGN_OR_RETURN(const int n, BlocksPerSide(length, block_size));
  std::vector<Block> blocks;
  for (int32_t row = 0; row < n; ++row) {
    for (int32_t column = 0; column < n; ++column) {
      if (keeps(row, column)) blocks.push_back({row, column});
    }
  }
  return BlockPattern::FromBlocks(n, block_size, blocks);
}

}  // namespace

absl::StatusOr<BlockPattern> LongformerPattern(int64_t length, const LongformerOptions& options) {
  RETURN_IF_ERROR(CheckAtLeast("window", options.window, 0));
  RETURN_IF_ERROR(CheckAtLeast("number of global blocks", options.global, 0));
  return FromRule(length, options.block_size, [&](int row, int column) {
    return std::abs(row - column) <= options.window || std::min(row, column) < options.global;
  });
}

absl::StatusOr<BlockPattern> BigBirdPattern(int64_t length, const BigBirdOptions& options) {
  RETURN_IF_ERROR(CheckAtLeast("number of random blocks", options.random, 0));
  ASSIGN_OR_RETURN(const int n, BlocksPerSide(length, options.block_size));
  const auto sees = [n](int row, int column) {
    return std::abs(row - column) <= 1 || std::min(row, column) == 0 ||
           std::max(row, column) == n - 1;
  };
  Random random(options.seed);
  std::vector<Block> blocks;
  for (int32_t row = 0; row < n; ++row) {
    std::vector<int32_t> others;
    for (int32_t column = 0; column < n; ++column) {
      if (sees(row, column)) {
        blocks.push_back({row, column});
      } else {
        others.push_back(column);
      }
    }
    random.Shuffle(absl::MakeSpan(others));
    const size_t drawn = std::min(others.size(), static_cast<size_t>(options.random));
    for (size_t i = 0; i < drawn; ++i) blocks.push_back({row, others[i]});
  }
  return BlockPattern::FromBlocks(n, options.block_size, blocks);
}

int SquareRootStride(int64_t length, int block_size) {
  const double blocks = std::sqrt(static_cast<double>(length)) / block_size;
  return std::max(1, static_cast<int>(std::lround(blocks)));
}

absl::StatusOr<BlockPattern> StridedPattern(int64_t length,
                                            const SparseTransformerOptions& options) {
  RETURN_IF_ERROR(CheckAtLeast("stride", options.stride, 1));
  return FromRule(length, options.block_size, [&](int row, int column) {
    const int apart = std::abs(row - column);
    return apart < options.stride || apart % options.stride == 0;
  });
}

absl::StatusOr<BlockPattern> FixedPattern(int64_t length, const SparseTransformerOptions& options) {
  RETURN_IF_ERROR(CheckAtLeast("stride", options.stride, 1));
  return FromRule(length, options.block_size, [&](int row, int column) {
    return row / options.stride == column / options.stride ||
           column % options.stride == options.stride - 1;
  });
}

}  // namespace spion
