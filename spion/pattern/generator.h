// Pattern generator: from a layer's attention map to the blocks that its sparse phase computes.
//
//   GeneratorOptions options;
//   options.kind = PatternKind::kCF;
//   options.block_size = 64;
//   options.threshold = 0.99;
//   ASSIGN_OR_RETURN(BlockPattern pattern, GeneratePattern({values, 4096}, options));
//
//   SPION-C   diagonal convolution, block pooling, the floor(n * n * density - n) top blocks
//   SPION-F                         block pooling, flood fill above the threshold quantile
//   SPION-CF  diagonal convolution, block pooling, flood fill above the threshold quantile
//
// and the main diagonal always. Runs on one core, holds no second L x L map, and is deterministic.
// Source: SPION, arXiv 2309.12578.
#ifndef SPION_PATTERN_GENERATOR_H_
#define SPION_PATTERN_GENERATOR_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/block_scores.h"
#include "spion/pattern/diagonal_convolution.h"
#include "spion/pattern/map_view.h"

namespace spion {

enum class PatternKind { kC, kF, kCF };

/// "c", "f" or "cf".
absl::string_view PatternKindName(PatternKind kind);

/// The kind of that name. Errors: InvalidArgument for any other text; capitals count as other.
absl::StatusOr<PatternKind> ParsePatternKind(absl::string_view name);

struct GeneratorOptions {
  PatternKind kind = PatternKind::kCF;
  int block_size = 0;                       // b, in tokens; must divide the side of the map
  double density = 0.0;                     // C: share of kept blocks at most; (0, 1]
  double threshold = 0.0;                   // F, CF: quantile a marked block must exceed; (0, 1]
  int filter_width = kDiagonalFilterWidth;  // C, CF: odd
};

/// The pattern of the map. What of the diagonal is among C's highest blocks counts twice, so C
/// keeps up to 1 / n less than the density. A density below 1 / n leaves the diagonal alone.
/// Errors: InvalidArgument for an empty map, one that is not side x side or holds a NaN or an
/// infinity (the message names the first), a block size that does not divide the side or leaves
/// more than 65,536 blocks a side, an even filter, and a density or threshold outside (0, 1]. Only
/// the options that the kind uses are looked at.
absl::StatusOr<BlockPattern> GeneratePattern(MapView map, const GeneratorOptions& options);

/// What the kind chooses blocks by: the mean of each block, of the map itself (F) or convolved (C,
/// CF). Of blocks of any size that divides the side, those of pictures of the map included.
/// Errors: of map, block size and filter as there; NaN and infinities are none here.
absl::StatusOr<BlockScores> PooledScores(MapView map, const GeneratorOptions& options);

}  // namespace spion

#endif  // SPION_PATTERN_GENERATOR_H_
