// SPION's own methods, of the list in methods.bzl.
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "spion/nn/method.h"
#include "spion/nn/spion_attention.h"

namespace spion {
namespace {

Method Spion(PatternKind kind) {
  const std::string name(PatternKindName(kind));
  return {.name = name,
          .description = absl::StrCat("SPION-", absl::AsciiStrToUpper(name)),
          .pattern_kind = kind,
          .make_attention =
              [](const AttentionContext& context) {
                return std::make_unique<SpionAttention>(context.layer, context.length,
                                                        context.device, PrunedScore::kZero);
              },
          .has_every_block = true,
          // In the reference all variants but F start the schedule anew.
          .continued_schedule = kind == PatternKind::kF};
}

}  // namespace

Method CMethod() { return Spion(PatternKind::kC); }
Method FMethod() { return Spion(PatternKind::kF); }
Method CfMethod() { return Spion(PatternKind::kCF); }

}  // namespace spion
