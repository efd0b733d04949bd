#include "baselines/fixed_pattern/method_options.h"

#include "spion/base/random.h"

namespace spion {

LongformerOptions LongformerMethodOptions(int64_t length) {
  return {.window = length < 4096 ? 1 : 2};
}

BigBirdOptions BigBirdMethodOptions(int layer) {
  constexpr uint64_t kSeed = 1001;
  return {.seed = DeriveSeed(kSeed, static_cast<uint64_t>(layer))};
}

SparseTransformerOptions SparseTransformerMethodOptions(int64_t length, int block_size) {
  return {.block_size = block_size, .stride = SquareRootStride(length, block_size)};
}

}  // namespace spion
