#include "baselines/fixed_pattern/method_patterns.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "baselines/fixed_pattern/method_options.h"
#include "baselines/fixed_pattern/patterns.h"
#include "spion/base/status.h"

namespace spion {
namespace {

template <class T>
void Override(T& value, const std::optional<T>& given) {
  if (given.has_value()) value = *given;
}

absl::Status CheckBlocksPerSide(int64_t length, int block_size, const MethodPatternOptions& given) {
  const int64_t blocks = length / block_size;
  if (blocks <= given.most_blocks_per_side) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(length, " tokens are ", blocks, " blocks of ", block_size, " a side, at most ",
                   given.most_blocks_per_side, " can be drawn; give a larger --block_size"));
}

absl::StatusOr<MadePattern> Longformer(int64_t length, const MethodPatternOptions& given) {
  LongformerOptions options = LongformerMethodOptions(length);
  Override(options.block_size, given.block_size);
  Override(options.window, given.window);
  Override(options.global, given.global);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size, given));
  ASSIGN_OR_RETURN(BlockPattern pattern, LongformerPattern(length, options));
  return MadePattern{absl::StrCat("window ", options.window, ", global ", options.global),
                     std::move(pattern)};
}

absl::StatusOr<MadePattern> BigBird(int64_t length, const MethodPatternOptions& given) {
  if (given.seed.has_value() && given.layer.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("--seed=", *given.seed,
                                                   " and --layer=", *given.layer,
                                                   ": give one, a layer stands for its seed"));
  }
  const int layer = given.layer.value_or(0);
  if (layer < 0) {
    return absl::InvalidArgumentError(absl::StrCat("--layer=", layer, ": layers count from 0"));
  }
  BigBirdOptions options = BigBirdMethodOptions(layer);
  Override(options.block_size, given.block_size);
  Override(options.random, given.random);
  Override(options.seed, given.seed);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size, given));
  ASSIGN_OR_RETURN(BlockPattern pattern, BigBirdPattern(length, options));
  const std::string drawn =
      given.seed.has_value() ? absl::StrCat("seed ", options.seed) : absl::StrCat("layer ", layer);
  return MadePattern{absl::StrCat("random ", options.random, ", ", drawn), std::move(pattern)};
}

SparseTransformerOptions SparseTransformer(int64_t length, const MethodPatternOptions& given) {
  SparseTransformerOptions options = SparseTransformerMethodOptions(
      length, given.block_size.value_or(SparseTransformerOptions().block_size));
  Override(options.stride, given.stride);
  return options;
}

absl::StatusOr<MadePattern> Strided(int64_t length, const MethodPatternOptions& given) {
  const SparseTransformerOptions options = SparseTransformer(length, given);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size, given));
  ASSIGN_OR_RETURN(BlockPattern pattern, StridedPattern(length, options));
  return MadePattern{absl::StrCat("stride ", options.stride), std::move(pattern)};
}

absl::StatusOr<MadePattern> Fixed(int64_t length, const MethodPatternOptions& given) {
  const SparseTransformerOptions options = SparseTransformer(length, given);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size, given));
  ASSIGN_OR_RETURN(BlockPattern pattern, FixedPattern(length, options));
  return MadePattern{absl::StrCat("stride ", options.stride), std::move(pattern)};
}

}  // namespace

const std::vector<MethodPattern>& MethodPatterns() {
  static const auto* patterns = new std::vector<MethodPattern>{
      {"longformer",
       "Longformer: sliding window and global blocks",
       {"window", "global"},
       Longformer},
      {"bigbird",
       "BigBird: window, global and random blocks",
       {"random", "seed", "layer"},
       BigBird},
      {"sparse_transformer", "Sparse Transformer, strided", {"stride"}, Strided},
      {"sparse_transformer_fixed", "Sparse Transformer, fixed", {"stride"}, Fixed},
  };
  return *patterns;
}

}  // namespace spion
