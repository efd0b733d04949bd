// Which numbers a dropout drops. 16 random bits decide for a number, so that one Philox call, some
// sixty instructions, serves eight: with 32 bits each it would take the time of the memory.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/vectors.cuh"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/philox.cuh"

namespace spion::cuda {

class Dropper {
 public:
  explicit __device__ __forceinline__ Dropper(const Dropout& dropout)
      : threshold_(static_cast<uint32_t>(fmaf(dropout.probability, 65536.0F, 0.5F))),
        scale_(1 / (1 - dropout.probability)),
        drops_(dropout.probability > 0) {
    if (!drops_) return;
    const RandomState& random = dropout.random;
    seed_ = random.seed_on_device == nullptr ? random.seed
                                             : static_cast<uint64_t>(*random.seed_on_device);
    offset_ = random.offset;
    if (random.offset_on_device != nullptr) {
      offset_ += static_cast<uint64_t>(*random.offset_on_device);
    }
    offset_ /= 4;  // LibTorch counts numbers, Philox fours
    first_draw_ = random.first_draw;
  }

  /// The same for all threads of a launch.
  __device__ __forceinline__ bool drops() const { return drops_; }

  /// The random bits of eight numbers: two in each word, the first in its low half.
  __device__ __forceinline__ uint4 Draw(int64_t eight) const {
    const auto sequence = static_cast<uint64_t>(first_draw_ + eight);
    return Philox({Low(offset_), High(offset_), Low(sequence), High(sequence)},
                  {Low(seed_), High(seed_)});
  }

  /// x[0], x[1] by the bits of a word.
  __device__ __forceinline__ void Apply(uint32_t word, float& first, float& second) const {
    first = (word & 0xffffU) < threshold_ ? 0.0F : first * scale_;
    second = word >> 16 < threshold_ ? 0.0F : second * scale_;
  }

  /// Eight numbers that have a draw of their own.
  __device__ __forceinline__ void DropEight(int64_t draw, tiles::Eight& numbers) const {
    if (!drops_) return;
    const uint4 bits = Draw(draw);
    float(&v)[8] = numbers.values;
    Apply(bits.x, v[0], v[1]);
    Apply(bits.y, v[2], v[3]);
    Apply(bits.z, v[4], v[5]);
    Apply(bits.w, v[6], v[7]);
  }

 private:
  static __device__ __forceinline__ uint32_t Low(uint64_t x) { return static_cast<uint32_t>(x); }
  static __device__ __forceinline__ uint32_t High(uint64_t x) {
    return static_cast<uint32_t>(x >> 32);
  }

  uint32_t threshold_;  // of 65536; a number whose bits are below is dropped
  float scale_;
  bool drops_;
  uint64_t seed_ = 0;
  uint64_t offset_ = 0;
  int64_t first_draw_ = 0;
};

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_DROPOUT_CUH_
