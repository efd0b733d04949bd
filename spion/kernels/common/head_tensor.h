// A tensor of heads as kernels take it, and how many heads and bytes of it they bear.
#ifndef SPION_KERNELS_COMMON_HEAD_TENSOR_H_
#define SPION_KERNELS_COMMON_HEAD_TENSOR_H_

#include <cstdint>

namespace spion {

/// A [B, H, L, d] tensor with unit stride along d; strides in elements. T may be const.
template <typename T>
struct HeadTensor {
  T* data = nullptr;
  int64_t batch_stride = 0;
  int64_t head_stride = 0;
  int64_t row_stride = 0;

  constexpr T* head(int64_t batch, int64_t head) const {
    return data + batch * batch_stride + head * head_stride;
  }
};

/// Heads of all examples that a call takes, B * H. None is allowed: then nothing is done.
inline constexpr int64_t kMaxHeads = int64_t{1} << 31;

/// Bytes that a head's rows span in memory for a GPU, whose offsets within a head have 32 bits.
inline constexpr int64_t kMaxHeadBytes = (int64_t{1} << 32) - 1;

/// Whether they do: rows of an element type of `element_bytes`, row_stride elements apart.
constexpr bool SpansFewEnoughBytes(int64_t length, int64_t row_stride, int64_t element_bytes) {
  return length == 0 || row_stride <= kMaxHeadBytes / element_bytes / length;
}

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_HEAD_TENSOR_H_
