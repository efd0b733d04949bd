#include "baselines/registry.h"

#include <functional>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "baselines/dense/dense_attention.h"
#include "baselines/fixed_pattern/fixed_pattern_attention.h"
#include "baselines/fixed_pattern/method_options.h"
#include "baselines/fixed_pattern/patterns.h"
#include "baselines/linformer/linformer_attention.h"
#include "baselines/nystromformer/nystromformer_attention.h"
#include "baselines/reformer/reformer_attention.h"
#include "baselines/skyformer/kernelised_attention.h"
#include "baselines/skyformer/skyformer_attention.h"
#include "spion/nn/fused_dense_attention.h"
#include "spion/nn/spion_attention.h"
#include "spion/pattern/block_pattern.h"

namespace spion {
namespace {

Method Spion(PatternKind kind) {
  const std::string name(PatternKindName(kind));
  return {.name = name,
          .description = absl::StrCat("SPION-", absl::AsciiStrToUpper(name)),
          .pattern_kind = kind,
          .make_attention = [](const AttentionContext& context) {
            return std::make_unique<SpionAttention>(context.layer, context.length, context.device,
                                                    PrunedScore::kZero);
          }};
}

// One attention for the whole training, which needs nothing to be made.
template <class Variant>
Method Plain(const std::string& name, const std::string& description) {
  return {.name = name,
          .description = description,
          .pattern_kind = {},
          .make_attention = [](const AttentionContext&) { return std::make_unique<Variant>(); }};
}

// The same for one that has parameters or depends on the layer's sizes.
template <class Variant>
Method WithParameters(const std::string& name, const std::string& description) {
  return {.name = name,
          .description = description,
          .pattern_kind = {},
          .make_attention = [](const AttentionContext& context) {
            return std::make_unique<Variant>(context);
          }};
}

// The same pattern from the first step to the last.
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

absl::StatusOr<BlockPattern> Longformer(const AttentionContext& context) {
  return LongformerPattern(context.length, LongformerMethodOptions(context.length));
}

absl::StatusOr<BlockPattern> BigBird(const AttentionContext& context) {
  return BigBirdPattern(context.length, BigBirdMethodOptions(context.layer));
}

absl::StatusOr<BlockPattern> Strided(const AttentionContext& context) {
  return StridedPattern(context.length, SparseTransformerMethodOptions(context.length));
}

absl::StatusOr<BlockPattern> Fixed(const AttentionContext& context) {
  return FixedPattern(context.length, SparseTransformerMethodOptions(context.length));
}

// Those of methods.bzl, as //experiments:methods_test checks.
std::vector<Method> AllMethods() {
  return {Spion(PatternKind::kC),
          Spion(PatternKind::kF),
          Spion(PatternKind::kCF),
          Plain<DenseAttention>("dense", "full softmax attention, probabilities in memory"),
          Plain<FusedDenseAttention>("sdpa", "full softmax attention, fused (LibTorch)"),
          WithPattern("longformer", "Longformer: sliding window and global blocks", Longformer),
          WithPattern("bigbird", "BigBird: window, global and random blocks", BigBird),
          WithPattern("sparse_transformer", "Sparse Transformer, strided", Strided),
          WithPattern("sparse_transformer_fixed", "Sparse Transformer, fixed", Fixed),
          Plain<KernelisedAttention>("kernelised", "Gaussian kernel attention, exact"),
          Plain<SkyformerAttention>("skyformer", "Skyformer: Nystrom, 128 landmarks"),
          Plain<ReformerAttention>("reformer", "Reformer: LSH attention, 2 rounds, chunks of 64"),
          WithParameters<LinformerAttention>("linformer", "Linformer: keys projected to 256"),
          WithParameters<NystromformerAttention>("nystromformer",
                                                 "Nystromformer: 128 landmarks by means")};
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
