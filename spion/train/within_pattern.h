// For tests: an attention of a method that keeps to one pattern.
#ifndef SPION_TRAIN_WITHIN_PATTERN_H_
#define SPION_TRAIN_WITHIN_PATTERN_H_

#include <utility>

#include "spion/nn/fused_dense_attention.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

class WithinPattern : public FusedDenseAttention {
 public:
  explicit WithinPattern(BlockPattern pattern) : pattern_(std::move(pattern)) {}
  const BlockPattern* pattern() const override { return &pattern_; }

 private:
  BlockPattern pattern_;
};

}  // namespace spion

#endif  // SPION_TRAIN_WITHIN_PATTERN_H_
