#include "spion/pattern/generator.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "spion/base/status.h"
#include "spion/pattern/block_pooling.h"
#include "spion/pattern/block_scores.h"
#include "spion/pattern/flood_fill.h"
#include "spion/pattern/quantile.h"
#include "spion/pattern/top_blocks.h"

namespace spion {
namespace {

absl::Status CheckShare(absl::string_view name, double value, absl::string_view way_out) {
  if (!(value > 0.0 && value <= 1.0)) {  // written so that NaN fails too
    return absl::InvalidArgumentError(
        absl::StrFormat("pattern generator: %s = %g, expected a share above 0 and at most 1; %s",
                        name, value, way_out));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const GeneratorOptions& options) {
  if (options.kind == PatternKind::kC) {
    return CheckShare("density", options.density, "0.04 keeps 4 % of the blocks");
  }
  return CheckShare("threshold", options.threshold,
                    "0.96 marks among the highest 4 % of the blocks");
}

// A double cannot overflow on sums of floats, so a score that is not finite has an entry that is
// not: only then is the map searched for it.
absl::Status CheckFinite(MapView map, const BlockScores& scores) {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (std::all_of(scores.values.begin(), scores.values.end(), finite)) return absl::OkStatus();
  const auto bad = std::find_if_not(map.values.begin(), map.values.end(), finite);
  const int64_t index = bad - map.values.begin();
  return absl::InvalidArgumentError(absl::StrFormat(
      "attention map: %g at row %d, column %d, expected finite probabilities; training has "
      "diverged or the map was captured before it was written",
      *bad, index / map.side, index % map.side));
}

}  // namespace

absl::string_view PatternKindName(PatternKind kind) {
  switch (kind) {
    case PatternKind::kC:
      return "c";
    case PatternKind::kF:
      return "f";
    case PatternKind::kCF:
      return "cf";
  }
  return "unknown";
}

absl::StatusOr<PatternKind> ParsePatternKind(absl::string_view name) {
  for (const PatternKind kind : {PatternKind::kC, PatternKind::kF, PatternKind::kCF}) {
    if (name == PatternKindName(kind)) return kind;
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("pattern kind \"%s\", expected one of c, f, cf", name));
}

absl::StatusOr<BlockPattern> GeneratePattern(MapView map, const GeneratorOptions& options) {
  RETURN_IF_ERROR(CheckShape(map));
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(const BlockScores scores, PooledScores(map, options));
  RETURN_IF_ERROR(CheckFinite(map, scores));

  const int n = scores.side;
  if (options.kind == PatternKind::kC) {
    const double k = std::floor(static_cast<double>(n) * n * options.density - n);
    return BlockPattern::FromBlocks(n, options.block_size,
                                    TopBlocks(scores, static_cast<int64_t>(k)));
  }
  ASSIGN_OR_RETURN(const double threshold, Quantile(scores.values, options.threshold));
  return BlockPattern::FromMask(n, options.block_size, FloodFill(scores, threshold));
}

absl::StatusOr<BlockScores> PooledScores(MapView map, const GeneratorOptions& options) {
  if (options.kind == PatternKind::kF) return AveragePool(map, options.block_size);
  ASSIGN_OR_RETURN(BlockPooler pooler, BlockPooler::Create(map.side, options.block_size));
  RETURN_IF_ERROR(VisitDiagonalConvolution(
      map, options.filter_width, [&pooler](absl::Span<const double> row) { pooler.AddRow(row); }));
  return std::move(pooler).Finish();
}

}  // namespace spion
