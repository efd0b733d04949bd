// The methods that keep to one pattern from the first step to the last, of the list in
// baselines/methods.bzl.
#include "spion/nn/method.h"

#include <functional>
#include <memory>
#include <string>

#include "baselines/fixed_pattern/fixed_pattern_attention.h"
#include "baselines/fixed_pattern/method_options.h"
#include "baselines/fixed_pattern/patterns.h"

namespace spion {
namespace {

using PatternMaker = std::function<absl::StatusOr<BlockPattern>(const AttentionContext&)>;

Method WithPattern(const std::string& name, const std::string& description,
                   const PatternMaker& make_pattern) {
  return {.name = name,
          .description = description,
          .pattern_kind = {},
          .make_attention = [=](const AttentionContext& context) {
            const absl::StatusOr<BlockPattern> pattern = make_pattern(context);
            TORCH_CHECK(pattern.ok(), name, ": ", pattern.status().message());
            return std::make_unique<FixedPatternAttention>(*pattern, context.layer, context.device);
          }};
}

}  // namespace

Method LongformerMethod() {
  return WithPattern("longformer", "Longformer: sliding window and global blocks",
                     [](const AttentionContext& context) {
                       return LongformerPattern(context.length,
                                                LongformerMethodOptions(context.length));
                     });
}

Method BigbirdMethod() {
  return WithPattern("bigbird", "BigBird: window, global and random blocks",
                     [](const AttentionContext& context) {
                       return BigBirdPattern(context.length, BigBirdMethodOptions(context.layer));
                     });
}

Method SparseTransformerMethod() {
  return WithPattern(
      "sparse_transformer", "Sparse Transformer, strided", [](const AttentionContext& context) {
        return StridedPattern(context.length, SparseTransformerMethodOptions(context.length));
      });
}

Method SparseTransformerFixedMethod() {
  return WithPattern(
      "sparse_transformer_fixed", "Sparse Transformer, fixed", [](const AttentionContext& context) {
        return FixedPattern(context.length, SparseTransformerMethodOptions(context.length));
      });
}

}  // namespace spion
