// The methods that keep to one pattern from the first step to the last, of the list in
// baselines/methods.bzl.
#include "spion/nn/method.h"

#include <algorithm>
#include <memory>
#include <string>

#include "baselines/fixed_pattern/fixed_pattern_attention.h"
#include "baselines/fixed_pattern/method_patterns.h"

namespace spion {
namespace {

Method KeepingTo(absl::string_view name) {
  const auto pattern =
      std::find_if(MethodPatterns().begin(), MethodPatterns().end(),
                   [&](const MethodPattern& candidate) { return candidate.name == name; });
  TORCH_CHECK(pattern != MethodPatterns().end(), "there is no pattern ", name);
  return {.name = std::string(name),
          .description = std::string(pattern->description),
          .pattern_kind = {},
          .make_attention = [pattern = *pattern](const AttentionContext& context) {
            MethodPatternOptions options;
            options.layer = context.layer;
            const absl::StatusOr<MadePattern> made = pattern.make(context.length, options);
            TORCH_CHECK(made.ok(), pattern.name, ": ", made.status().message());
            return std::make_unique<FixedPatternAttention>(made->pattern, context.layer,
                                                           context.device);
          }};
}

}  // namespace

Method LongformerMethod() { return KeepingTo("longformer"); }
Method BigbirdMethod() { return KeepingTo("bigbird"); }
Method SparseTransformerMethod() { return KeepingTo("sparse_transformer"); }
Method SparseTransformerFixedMethod() { return KeepingTo("sparse_transformer_fixed"); }

}  // namespace spion
