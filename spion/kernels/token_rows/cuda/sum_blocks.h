// Into how many parts a sum over rows is split. Private to this package.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_BLOCKS_H_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_BLOCKS_H_

#include <cstdint>

namespace spion::cuda {

constexpr int kRowThreads = 256;  // of a thread block
constexpr int kRowLanes = 16;     // that share a row
constexpr int kRowsAtOnce = kRowThreads / kRowLanes;

/// Thread blocks that share a sum over rows: enough for the largest GPUs, and the same on all, so
/// that a sum has the same bits everywhere.
constexpr int64_t SumBlocks(int64_t rows) {
  constexpr int64_t kMax = 512;
  const int64_t blocks = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  return blocks < kMax ? blocks : kMax;
}

/// Those of a sum of columns alone: wide rows (the positions' gradient, as long as a sequence) fill
/// a GPU by themselves.
constexpr int64_t ColumnSumBlocks(int64_t rows, int64_t width) {
  constexpr int64_t kWide = 1 << 14;
  return width >= kWide ? 1 : SumBlocks(rows);
}

/// Those of a mean over a sequence: so many rows each.
constexpr int kMeanRows = 256;
constexpr int64_t MeanParts(int64_t length) { return (length + kMeanRows - 1) / kMeanRows; }

/// Those of a sum by token: a table of sums is written for so many rows.
constexpr int kTokensPerBlock = 1024;
constexpr int64_t TokenSumBlocks(int64_t rows) {
  return (rows + kTokensPerBlock - 1) / kTokensPerBlock;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_SUM_BLOCKS_H_
