// The pattern generators again, for tests and for benchmarks that check before they time: written
// from the method's definition in plain loops over doubles, sharing no step with the code under
// test.
//
//   const std::vector<float> values = RandomAttentionMap(/*side=*/256, /*seed=*/7);
//   EXPECT_EQ(pattern.mask(), NaivePatternMask({values, 256}, options));
//
// The entries of RandomAttentionMap are multiples of 2^-24 below 1, so sums over windows and blocks
// are exact in double in any order: results can be compared with ==, ties included.
#ifndef SPION_PATTERN_PATTERN_ORACLE_H_
#define SPION_PATTERN_PATTERN_ORACLE_H_

#include <cstdint>
#include <vector>

#include "spion/pattern/generator.h"
#include "spion/pattern/map_view.h"

namespace spion {

/// Noise with brighter diagonals and columns at random places, as in trained attention.
std::vector<float> RandomAttentionMap(int64_t side, uint64_t seed);

/// [L, L], `width` multiply-adds an entry.
std::vector<double> NaiveConvolution(MapView map, int width);

/// [L / b, L / b] averages of an [L, L] map.
std::vector<double> NaivePool(const std::vector<double>& map, int64_t side, int64_t block_size);

double NaiveQuantile(std::vector<double> values, double q);

/// [n, n] flags. Asks of each block, row by row, whether a block that a walk reaches moves to it.
std::vector<uint8_t> NaiveFloodFill(const std::vector<double>& scores, int64_t n, double threshold);

/// [n, n] flags of the k highest scores.
std::vector<uint8_t> NaiveTop(const std::vector<double>& scores, int64_t k);

/// [n, n] flags, the diagonal included. Map and options must be valid.
std::vector<uint8_t> NaivePatternMask(MapView map, const GeneratorOptions& options);

}  // namespace spion

#endif  // SPION_PATTERN_PATTERN_ORACLE_H_
