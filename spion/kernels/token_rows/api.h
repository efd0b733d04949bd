// What the encoder does token by token besides matrix products (with them: encoder_layer.h):
// embedding, the residual stream with its dropout and layer normalisation, GELU, and sums over all
// tokens (gradients of biases and tables). A token's features are a row. LibTorch's kernels take a
// pass over memory for each of these, and for rows of 64 ten times the time of their bytes; here
// each is one pass.
#ifndef SPION_KERNELS_TOKEN_ROWS_API_H_
#define SPION_KERNELS_TOKEN_ROWS_API_H_

#include <cstdint>

#include "absl/status/status.h"
#include "spion/kernels/common/number.h"

struct CUstream_st;  // cudaStream_t is a pointer to it

namespace spion::cuda {

// All pointers are device pointers to contiguous arrays, aligned to 16 bytes. T, Branch: float or
// BFloat16. Arithmetic is fp32; sums are always in the same order: the same bits every run.

/// Widths of rows that are normalised.
constexpr bool TakesNormWidth(int64_t width) {
  return width == 64 || width == 128 || width == 256 || width == 512;
}

/// Widths of rows that are summed.
constexpr int64_t kSumWidthUnit = 64;
constexpr int64_t kMaxSumWidth = 65535 * kSumWidthUnit;  // 65535: of a grid
constexpr bool TakesSumWidth(int64_t width) {
  return width > 0 && width % kSumWidthUnit == 0 && width <= kMaxSumWidth;
}

/// Rows of a token table whose gradient is summed.
constexpr int64_t kMaxVocabulary = 1024;

/// Rows of a call.
constexpr int64_t kMaxRows = (int64_t{1} << 31) - 1;

/// Numbers are passed through GELU in units of so many, and at most so many.
constexpr int64_t kGeluUnit = 8;
constexpr int64_t kMaxGelu = kMaxRows * kGeluUnit;

/// Where a call's random numbers come from: seed and offset of LibTorch's generator. In a recorded
/// graph they are on the device, other ones at each replay. A call takes one draw of the generator
/// (four numbers of each of its sequences). The backward call has what the forward call leaves in
/// `drawn`, as seed and offset on the device.
struct RandomState {
  uint64_t seed = 0;
  uint64_t offset = 0;
  const int64_t* seed_on_device = nullptr;    // if given, the seed
  const int64_t* offset_on_device = nullptr;  // if given, to be added to the offset
  /// Of a batch whose first numbers are another call's, as many draws as they take.
  int64_t first_draw = 0;
  int64_t* drawn = nullptr;  // [2], if given: seed and offset of this call are written there
};

/// A draw is of so many numbers, of so many rows that follow each other.
constexpr int64_t kNumbersPerDraw = 8;
constexpr int64_t kRowsPerDraw = 2;

/// Sets numbers to 0 with a probability of `probability`, rounded to 1 / 32768, and multiplies the
/// others by 1 / (1 - probability). Which ones depends on the random state and their place alone:
/// no mask is stored. Of probability 0, the random state is not read.
struct Dropout {
  float probability = 0;  // at least 0, below 1
  RandomState random;
};

/// out = (x - mean) / sqrt(variance + epsilon) weight + bias, mean and variance of each row.
template <typename T>
struct RowNorm {
  float epsilon;
  const float* weight;       // [width]
  const float* bias;         // [width]
  T* out;                    // [rows, width]
  float* mean;               // [rows]
  float* inverse_deviation;  // [rows]
};

/// sum = x + dropout(branch), normalised.
template <typename Branch, typename T>
struct AddNormForward {
  int64_t rows;
  int64_t width;
  const float* x;        // [rows, width]
  const Branch* branch;  // [rows, width], or null: x is normalised, and sum is not written
  Dropout dropout;
  float* sum;  // [rows, width]
  RowNorm<T> norm;
};

/// The mean over a sequence's tokens of rows normalised as above, of which the first ones count,
/// and the others as zeros. Its gradient is AddNormBackward with the same lengths.
struct NormMean {
  int64_t sequences;
  int64_t length;
  int64_t width;
  const float* x;          // [sequences, length, width]
  const int32_t* lengths;  // [sequences]: how many rows count; null: all
  /// out: [sequences, width]. Mean and deviation of rows that do not count are not written.
  RowNorm<float> norm;
  float* scratch;  // NormMeanScratchFloats(sequences, length, width)
};

/// The gradient of sum, from that which it has beside its normalisation and that of the normalised
/// rows; of x it is the same, of the branch it goes through the dropout.
template <typename Branch, typename T>
struct AddNormBackward {
  int64_t rows;
  int64_t width;
  int64_t repeats;  // grad_out is the same for so many rows that follow each other: at least 1
  /// [ceil(rows / repeats)]: to how many of those rows it is given, the first ones; the gradient of
  /// the others is zero. Null: to all.
  const int32_t* lengths = nullptr;
  const float* grad_sum;  // [rows, width], or null: zero
  const T* grad_out;      // [ceil(rows / repeats), width]
  const float* sum;       // [rows, width]
  const float* weight;
  const float* mean;
  const float* inverse_deviation;
  Dropout dropout;
  float* grad_x;           // [rows, width], or null: not asked for
  Branch* grad_branch;     // [rows, width], or null: not asked for
  float* grad_parameters;  // [2, width]: of the weight, of the bias
  float* scratch;          // ScratchFloats(rows, 2 width)
};

/// [rows], each below the vocabulary: a kernel stops with an assertion if not. One of the two.
struct TokenIds {
  const int32_t* narrow = nullptr;
  const int64_t* wide = nullptr;
};

/// sum = dropout(tokens[id] + positions[row % length]), normalised unless norm.out is null. Its
/// gradient is AddNormBackward with a branch of floats, without normalisation EmbedBackward, and
/// the sums below.
template <typename T>
struct EmbedNormForward {
  int64_t rows;
  int64_t width;
  int64_t length;
  int64_t vocabulary;
  TokenIds ids;
  const float* tokens;     // [vocabulary, width]
  const float* positions;  // [length, width]
  Dropout dropout;
  float* sum;  // [rows, width]
  RowNorm<T> norm;
};

/// out = dropout(grad), the gradient of the sum of token and position, and its sums by position.
struct EmbedBackward {
  int64_t rows;
  int64_t width;
  int64_t length;
  const float* grad;  // [rows, width]
  Dropout dropout;
  float* out;        // [rows, width]
  float* positions;  // [length, width]
};

/// sums[v] = sum of the rows of x whose id is v.
struct TokenSums {
  int64_t rows;
  int64_t width;
  int64_t vocabulary;  // at most kMaxVocabulary
  TokenIds ids;
  const float* x;  // [rows, width]
  float* sums;     // [vocabulary, width]
  float* scratch;  // TokenScratchFloats(rows, vocabulary, width)
};

/// sums[c] = sum over r of x[r][c].
template <typename T>
struct ColumnSums {
  int64_t rows;
  int64_t width;
  const T* x;      // [rows, width]
  float* sums;     // [width]
  float* scratch;  // ColumnScratchFloats(rows, width)
};

/// out = dropout(gelu(x)); gelu(x) = x (1 + erf(x / sqrt(2))) / 2, to 1.5e-7 (1 + |x|).
template <typename T>
struct GeluDropoutForward {
  int64_t count;  // a multiple of kGeluUnit
  const T* x;
  Dropout dropout;
  T* out;
};

template <typename T>
struct GeluDropoutBackward {
  int64_t count;
  const T* grad_out;
  const T* x;
  Dropout dropout;
  T* grad_x;
};

/// Floats of scratch memory for sums over rows.
int64_t ScratchFloats(int64_t rows, int64_t columns);
int64_t NormMeanScratchFloats(int64_t sequences, int64_t length, int64_t width);
int64_t ColumnScratchFloats(int64_t rows, int64_t width);
int64_t TokenScratchFloats(int64_t rows, int64_t vocabulary, int64_t width);

// Queue on `stream`, on the current device; neither allocate nor wait, so a CUDA graph may capture
// them. Errors, with nothing written: InvalidArgument naming the value and what is taken, for rows
// outside 1 .. kMaxRows (of NormMean sequences times length), a width that the call does not take,
// a probability outside [0, 1), a vocabulary, a length or repeats below 1, a vocabulary of
// TokenSums above kMaxVocabulary, a count that is no multiple of kGeluUnit; Internal with CUDA's
// message if a launch fails. Pointers are not checked.
template <typename Branch, typename T>
absl::Status Run(const AddNormForward<Branch, T>& call, CUstream_st* stream);
template <typename Branch, typename T>
absl::Status Run(const AddNormBackward<Branch, T>& call, CUstream_st* stream);
absl::Status Run(const NormMean& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const EmbedNormForward<T>& call, CUstream_st* stream);
absl::Status Run(const EmbedBackward& call, CUstream_st* stream);
absl::Status Run(const TokenSums& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const ColumnSums<T>& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const GeluDropoutForward<T>& call, CUstream_st* stream);
template <typename T>
absl::Status Run(const GeluDropoutBackward<T>& call, CUstream_st* stream);

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_API_H_
