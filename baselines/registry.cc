#include "baselines/registry.h"

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "baselines/dense/dense_attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/spion_attention.h"

namespace spion {
namespace {

Method Spion(PatternKind kind) {
  const std::string name(PatternKindName(kind));
  return {.name = name,
          .description = absl::StrCat("SPION-", absl::AsciiStrToUpper(name)),
          .pattern_kind = kind,
          .attention = [](c10::Device device) -> AttentionFactory {
            return [device](const AttentionContext& context) {
              return std::make_unique<SpionAttention>(context.layer, context.length, device,
                                                      PrunedScore::kZero);
            };
          }};
}

// One attention for the whole training, which needs nothing to be made.
template <class Variant>
Method Plain(const std::string& name, const std::string& description) {
  return {.name = name,
          .description = description,
          .pattern_kind = {},
          .attention = [](c10::Device) -> AttentionFactory {
            return [](const AttentionContext&) { return std::make_unique<Variant>(); };
          }};
}

std::vector<Method> AllMethods() {
  return {Spion(PatternKind::kC), Spion(PatternKind::kF), Spion(PatternKind::kCF),
          Plain<DenseAttention>("dense", "full softmax attention, probabilities in memory"),
          Plain<FusedDenseAttention>("sdpa", "full softmax attention, fused (LibTorch)")};
}

}  // namespace

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const Method& method : AllMethods()) names.push_back(method.name);
  return names;
}

absl::StatusOr<Method> FindMethod(absl::string_view name) {
  for (Method& method : AllMethods()) {
    if (method.name == name) return method;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no method \"", name, "\"; the methods are ", absl::StrJoin(MethodNames(), ", ")));
}

}  // namespace spion
