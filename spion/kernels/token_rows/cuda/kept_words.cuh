// What the dropouts of a layer have kept, a bit a number: the forward call leaves it to the
// backward call, whose time it would take to draw it again. Of 16 rows each thread of a warp has
// four words, packed by KeptRows.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_WORDS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_WORDS_CUH_

#include <cstdint>

#include "spion/kernels/token_rows/cuda/layer_blocks.h"
#include "spion/kernels/token_rows/cuda/sixteen_rows.cuh"

namespace spion::cuda {

struct KeptWords {
  // Of a thread's four.
  static constexpr int kBranch = 0;
  static constexpr int kHidden = 1;  // two, each of two quarters of the hidden numbers
  static constexpr int kMlp = 3;
  static constexpr int kOfThread = 4;
  static constexpr int kBytes = 4 * kOfThread * kLayerThreads;  // of a thread block

  /// The thread's of rows first_row ..
  template <typename Word>
  static __device__ __forceinline__ Word* Of(Word* all, int64_t first_row) {
    return all + (first_row / 16 * 32 + threadIdx.x % 32) * kOfThread;
  }

  /// Begins to copy those of rows first_row .. to where the thread block's begin in shared memory,
  /// at offset `at`; zeros beyond `end`. CommitCopies ends the group. Where nothing is dropped, all
  /// are ones.
  static __device__ __forceinline__ void Copy(const uint32_t* all, int64_t first_row, int64_t end,
                                              uint32_t at) {
    const uint32_t to = at + 4 * kOfThread * threadIdx.x;
    if (all != nullptr && first_row < end) {
      tiles::CopyAsyncPastL1(SharedAddress(to), Of(all, first_row));
      return;
    }
    const uint32_t word = all == nullptr ? ~uint32_t{0} : 0;
    *reinterpret_cast<uint4*>(tiles::SharedMemory() + to) = {word, word, word, word};
  }
  /// One that has come.
  static __device__ __forceinline__ uint32_t Get(uint32_t at, int number) {
    return *reinterpret_cast<const uint32_t*>(tiles::SharedMemory() + at +
                                              4 * (kOfThread * threadIdx.x + number));
  }
  /// Of 32 hidden numbers.
  static __device__ __forceinline__ uint32_t GetHidden(uint32_t at, int quarter) {
    return Get(at, kHidden + quarter / 2) << (8 * (quarter % 2));
  }
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_KEPT_WORDS_CUH_
