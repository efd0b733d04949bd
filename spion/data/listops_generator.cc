#include "spion/data/listops_generator.h"

#include <cstddef>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/listops_expression.h"

namespace spion {
namespace {

constexpr int kMaxDepth = 10;
constexpr int kMinValues = 2;
constexpr int kMaxValues = 10;
constexpr int kOperators = 4;
// A node is an operator one time in this many.
constexpr int kNodesPerOperator = 4;
// Both excluded.
constexpr size_t kLengthAbove = 500;
constexpr size_t kLengthBelow = 2000;

/// Appends a random expression whose root is at `depth`. False if it grew too long: it is then
/// unfinished.
bool Grow(int depth, Random& random, ListOpsTokens& tokens) {
  if (tokens.size() >= kLengthBelow) return false;
  if (depth == kMaxDepth || random.Below(kNodesPerOperator) != 0) {
    tokens.push_back(static_cast<uint8_t>(random.Below(kListOpsValues)));
    return true;
  }
  tokens.push_back(static_cast<uint8_t>(kListOpsMin + random.Below(kOperators)));
  const int64_t values = random.Between(kMinValues, kMaxValues);
  for (int64_t value = 0; value < values; ++value) {
    if (!Grow(depth + 1, random, tokens)) return false;
  }
  tokens.push_back(kListOpsEnd);
  return true;
}

/// The next expression of a fitting length.
void DrawFitting(Random& random, ListOpsTokens& tokens) {
  do {
    tokens.clear();
  } while (!Grow(1, random, tokens) || tokens.size() <= kLengthAbove ||
           tokens.size() >= kLengthBelow);
}

uint64_t HashOf(absl::Span<const uint8_t> tokens) {
  uint64_t hash = 0;
  for (uint8_t token : tokens) hash = DeriveSeed(hash, token);
  return hash;
}

}  // namespace

absl::Status GenerateListOps(uint64_t seed, const GeneratedSizes& sizes, TakeListOps take) {
  return internal::GenerateListOpsOfSeeds(SplitSeeds(seed), sizes, take);
}

namespace internal {

absl::Status GenerateListOpsOfSeeds(const std::array<uint64_t, kListOpsSplits.size()>& seeds,
                                    const GeneratedSizes& sizes, TakeListOps take) {
  ASSIGN_OR_RETURN(const GeneratedSizes to_generate,
                   SizesToGenerate(sizes, kListOpsSizes, "expressions"));
  const std::array<int64_t, kListOpsSplits.size()> counts = {to_generate.train, to_generate.dev,
                                                             to_generate.test};
  // Hashes stand for the expressions, which would be a second copy of the data set: those alike
  // always have the same, and others one time in 2^31 runs, which costs but a new draw.
  std::unordered_set<uint64_t> taken;
  ListOpsTokens tokens;
  for (size_t split = 0; split < kListOpsSplits.size(); ++split) {
    Random random(seeds[split]);
    for (int64_t made = 0; made < counts[split]; ++made) {
      do {
        DrawFitting(random, tokens);
      } while (!taken.insert(HashOf(tokens)).second);
      ASSIGN_OR_RETURN(const int value, EvaluateListOps(tokens));
      RETURN_IF_ERROR(take(kListOpsSplits[split], tokens, value));
    }
  }
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace spion
