// What the encoder does token by token, besides matrix products: layer normalisation, and sums over
// all tokens (the gradient of a bias). A token's features are a row. LibTorch's kernels for these
// are made for rows of thousands; a row of 64 takes them ten times the time of its bytes.
#ifndef SPION_KERNELS_TOKEN_ROWS_API_H_
#define SPION_KERNELS_TOKEN_ROWS_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/block_sparse/problem.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

// All pointers are device pointers to contiguous arrays, aligned to 16 bytes. T: float or BFloat16.
// Sums are fp32, always in the same order: the same bits every run.

/// out = (x - mean) / sqrt(variance + epsilon) * weight + bias, mean and variance of each row.
template <typename T>
struct LayerNormForward {
  int64_t rows;
  int64_t width;  // 64, 128, 256 or 512
  float epsilon;
  const float* x;       // [rows, width]
  const float* weight;  // [width]
  const float* bias;    // [width]
  T* out;               // [rows, width]
  float* mean;          // [rows]
  float* inverse_deviation;
};

template <typename T>
struct LayerNormBackward {
  int64_t rows;
  int64_t width;
  const T* grad_out;
  const float* x;
  const float* weight;
  const float* mean;
  const float* inverse_deviation;
  float* grad_x;           // [rows, width]
  float* grad_parameters;  // [2, width]: of the weight, of the bias
  float* scratch;          // ScratchFloats(rows, 2 width)
};

/// sums[c] = sum over r of x[r][c].
template <typename T>
struct ColumnSums {
  int64_t rows;
  int64_t width;   // a multiple of 64
  const T* x;      // [rows, width]
  float* sums;     // [width]
  float* scratch;  // ScratchFloats(rows, width)
};

/// Floats of scratch memory for sums over rows of so many columns.
int64_t ScratchFloats(int64_t rows, int64_t columns);

// Queue on `stream`, on the current device; neither allocate nor wait. Errors: InvalidArgument for
// a width that is not supported, naming those that are, nothing written; Internal with CUDA's
// message if a launch fails.
template <typename T>
absl::Status Run(const LayerNormForward<T>& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const LayerNormBackward<T>& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const ColumnSums<T>& call, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_API_H_
