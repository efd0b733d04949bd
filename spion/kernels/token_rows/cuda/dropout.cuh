// Which numbers a dropout drops. 15 random bits decide for a number, so that one Philox call serves
// eight: with 32 bits each it would take the time of the memory.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/philox.cuh"

namespace spion::cuda {

/// Which of eight numbers are kept: of a pair, the first if bit 15 of its word is set, the second
/// if bit 31 is.
struct Kept {
  uint32_t pairs[4];

  /// The pair of bf16 numbers, with zeros for those that are dropped.
  __device__ __forceinline__ uint32_t OfPair(int pair, uint32_t numbers) const {
    return numbers & tiles::SpreadSigns(pairs[pair]);
  }
  /// Of a pair of fp32 numbers.
  __device__ __forceinline__ void Apply(int pair, float& first, float& second) const {
    first = __uint_as_float(__float_as_uint(first) & tiles::SpreadSign<0>(pairs[pair]));
    second = __uint_as_float(__float_as_uint(second) & tiles::SpreadSign<1>(pairs[pair]));
  }
};

/// Every thread of a kernel makes one. The first thread of the grid, which has one dimension as
/// thread blocks have, writes down what is drawn from, where that is asked for.
class Dropper {
 public:
  explicit __device__ __forceinline__ Dropper(const Dropout& dropout)
      : scale_(ScaleOf(dropout.probability)), drops_(dropout.probability > 0) {
    const auto dropped = static_cast<uint32_t>(fmaf(dropout.probability, kDraws, 0.5F));
    addend_ = (kDraws - dropped) * 0x00010001U;
    if (!drops_) return;
    const RandomState& random = dropout.random;
    seed_ = random.seed_on_device == nullptr ? random.seed
                                             : static_cast<uint64_t>(*random.seed_on_device);
    offset_ = random.offset;
    if (random.offset_on_device != nullptr) {
      offset_ += static_cast<uint64_t>(*random.offset_on_device);
    }
    if (random.drawn != nullptr && blockIdx.x == 0 && threadIdx.x == 0) {
      random.drawn[0] = static_cast<int64_t>(seed_);
      random.drawn[1] = static_cast<int64_t>(offset_);
    }
    offset_ /= 4;  // LibTorch counts numbers, Philox fours
    first_draw_ = random.first_draw;
  }

  /// What numbers that are kept are multiplied by.
  static __device__ __forceinline__ float ScaleOf(float probability) {
    return 1 / (1 - probability);
  }

  /// The same for all threads of a launch.
  __device__ __forceinline__ bool drops() const { return drops_; }
  /// ScaleOf the dropout.
  __device__ __forceinline__ float scale() const { return scale_; }

  /// Of eights, each by a draw of its own. Several at once take fewer instructions.
  template <int kEights>
  __device__ __forceinline__ void Keep(const int64_t (&draws)[kEights],
                                       Kept (&kept)[kEights]) const {
    uint4 words[kEights] = {};
    if (drops_) {
#pragma unroll
      for (int i = 0; i < kEights; ++i) {
        const auto sequence = static_cast<uint64_t>(first_draw_ + draws[i]);
        words[i] = {Low(offset_), High(offset_), Low(sequence), High(sequence)};
      }
      Philox(words, {Low(seed_), High(seed_)});
    }
#pragma unroll
    for (int i = 0; i < kEights; ++i) {
      kept[i] = {
          {Compare(words[i].x), Compare(words[i].y), Compare(words[i].z), Compare(words[i].w)}};
    }
  }

  /// Two random numbers of 15 bits against the share that is dropped: Kept's word.
  __device__ __forceinline__ uint32_t Compare(uint32_t word) const {
    return (word & 0x7fff7fffU) + addend_;
  }

  /// Eight numbers that have a draw of their own.
  __device__ __forceinline__ void DropEight(int64_t draw, tiles::Eight& numbers) const {
    if (!drops_) return;
    Kept kept[1];
    Keep({draw}, kept);
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) {
      float(&v)[8] = numbers.values;
      ApplyScaled(kept[0], pair, v[2 * pair], v[2 * pair + 1]);
    }
  }
  __device__ __forceinline__ void ApplyScaled(const Kept& kept, int pair, float& first,
                                              float& second) const {
    kept.Apply(pair, first, second);
    first *= scale_;
    second *= scale_;
  }

 private:
  static constexpr int kDraws = 1 << 15;

  static __device__ __forceinline__ uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
  static __device__ __forceinline__ uint32_t High(uint64_t x) {
    return static_cast<uint32_t>(x >> 32);
  }

  uint32_t addend_;  // brings what is kept to kDraws, in both halves
  float scale_;
  bool drops_;
  uint64_t seed_ = 0;
  uint64_t offset_ = 0;
  int64_t first_draw_ = 0;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_
