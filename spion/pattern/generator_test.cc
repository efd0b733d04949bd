#include "spion/pattern/generator.h"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr PatternKind kAllKinds[] = {PatternKind::kC, PatternKind::kF, PatternKind::kCF};

GeneratorOptions Options(PatternKind kind, int block_size, double share, int filter_width = 31) {
  GeneratorOptions options;
  options.kind = kind;
  options.block_size = block_size;
  options.filter_width = filter_width;
  (kind == PatternKind::kC ? options.density : options.threshold) = share;
  return options;
}

void ExpectInvalid(const absl::StatusOr<BlockPattern>& result, const char* part) {
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument) << result.status();
  EXPECT_THAT(result.status().message(), HasSubstr(part));
}

// 6 x 6 in blocks of 2, one entry: (1, 3), in block (0, 1). A filter of 3 spreads it to (0, 2) in
// the same block and to (2, 4) in block (1, 2). Scores: 2/4 and 1/4, the seven others 0.
std::vector<float> OneEntry() {
  std::vector<float> values(36, 0.0f);
  values[1 * 6 + 3] = 1.0f;
  return values;
}

TEST(GeneratorTest, PoolsTheMapOrItsConvolution) {
  const std::vector<float> values = OneEntry();
  for (const PatternKind kind : {PatternKind::kC, PatternKind::kCF}) {
    EXPECT_THAT(PooledScores({values, 6}, Options(kind, 2, 0.5, 3))->values,
                ElementsAre(0, 0.5, 0,   //
                            0, 0, 0.25,  //
                            0, 0, 0));
  }
  EXPECT_THAT(PooledScores({values, 6}, Options(PatternKind::kF, 2, 0.5, 3))->values,
              ElementsAre(0, 0.25, 0,  //
                          0, 0, 0,     //
                          0, 0, 0));
  EXPECT_EQ(PooledScores({values, 6}, Options(PatternKind::kF, 4, 0.5)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(GeneratorTest, CFFollowsTheConvolvedRidge) {
  // The median is 0. (0, 0) -> right (0, 1) -> diagonal (1, 2) -> out.
  const std::vector<float> values = OneEntry();
  const BlockPattern p = GeneratePattern({values, 6}, Options(PatternKind::kCF, 2, 0.5, 3)).value();
  EXPECT_EQ(p.block_size(), 2);
  EXPECT_THAT(p.mask(), ElementsAre(1, 1, 0,  //
                                    0, 1, 1,  //
                                    0, 0, 1));
}

TEST(GeneratorTest, FSeesTheMapWithoutConvolution) {
  const std::vector<float> values = OneEntry();
  const BlockPattern p = GeneratePattern({values, 6}, Options(PatternKind::kF, 2, 0.5, 3)).value();
  EXPECT_THAT(p.mask(), ElementsAre(1, 1, 0,  //
                                    0, 1, 0,  //
                                    0, 0, 1));
}

TEST(GeneratorTest, ThresholdIsAQuantileWithInterpolation) {
  // Rank 0.9 * 8 = 7.2 lies between 1/4 and 2/4, so only the 2/4 of block (0, 1) exceeds it.
  const std::vector<float> values = OneEntry();
  const BlockPattern p = GeneratePattern({values, 6}, Options(PatternKind::kCF, 2, 0.9, 3)).value();
  EXPECT_THAT(p.mask(), ElementsAre(1, 1, 0,  //
                                    0, 1, 0,  //
                                    0, 0, 1));
}

TEST(GeneratorTest, CTakesTheFloorOfItsShareLessTheDiagonal) {
  const std::vector<float> values = OneEntry();
  // floor(9 * 0.6 - 3) = floor(2.4) = 2: both blocks with a score.
  EXPECT_THAT(GeneratePattern({values, 6}, Options(PatternKind::kC, 2, 0.6, 3)).value().mask(),
              ElementsAre(1, 1, 0,  //
                          0, 1, 1,  //
                          0, 0, 1));
  // floor(9 * 0.5 - 3) = floor(1.5) = 1: the higher one.
  EXPECT_THAT(GeneratePattern({values, 6}, Options(PatternKind::kC, 2, 0.5, 3)).value().mask(),
              ElementsAre(1, 1, 0,  //
                          0, 1, 0,  //
                          0, 0, 1));
}

TEST(GeneratorTest, CCountsADiagonalBlockAmongItsTop) {
  // Blocks of one, filter of one: scores are the entries. floor(4 * 0.75 - 2) = 1: block (0, 0).
  const std::vector<float> values = {9, 1, 1, 1};
  EXPECT_THAT(GeneratePattern({values, 2}, Options(PatternKind::kC, 1, 0.75, 1)).value().mask(),
              ElementsAre(1, 0, 0, 1));
}

TEST(GeneratorTest, CKeepsExactlyItsShareWhenTheTopIsOffTheDiagonal) {
  constexpr int64_t kSide = 64;  // 16 blocks a side
  std::vector<float> values(kSide * kSide);
  for (int64_t i = 0; i < kSide; ++i) {
    for (int64_t j = 0; j < kSide; ++j) {
      const int64_t blocks_apart = std::abs(i / 4 - j / 4);
      values[i * kSide + j] = blocks_apart == 0 ? 0.0f : 1.0f;
    }
  }
  for (const double density : {0.1, 0.2, 0.5}) {
    SCOPED_TRACE(density);
    const int64_t k = static_cast<int64_t>(256 * density - 16);
    EXPECT_EQ(GeneratePattern({values, kSide}, Options(PatternKind::kC, 4, density, 1))
                  .value()
                  .kept_blocks(),
              16 + k);
  }
}

TEST(GeneratorTest, CKeepsOnlyTheDiagonalWhenItsShareIsSmaller) {
  const std::vector<float> values = RandomAttentionMap(64, /*seed=*/3);
  // n = 8: 64 * 0.125 - 8 = 0, and 64 * 0.01 - 8 < 0.
  for (const double density : {0.125, 0.01}) {
    const BlockPattern p =
        GeneratePattern({values, 64}, Options(PatternKind::kC, 8, density)).value();
    EXPECT_EQ(p, BlockPattern::FromBlocks(8, 8, {}).value());
  }
}

TEST(GeneratorTest, ThresholdOneKeepsOnlyTheDiagonal) {
  const std::vector<float> values = RandomAttentionMap(64, /*seed=*/4);
  for (const PatternKind kind : {PatternKind::kF, PatternKind::kCF}) {
    EXPECT_EQ(GeneratePattern({values, 64}, Options(kind, 8, 1.0)).value(),
              BlockPattern::FromBlocks(8, 8, {}).value());
  }
}

TEST(GeneratorTest, AllEqualEntriesGiveNoBlockAboveAThreshold) {
  const std::vector<float> values(64 * 64, 1.0f / 64);
  EXPECT_EQ(GeneratePattern({values, 64}, Options(PatternKind::kF, 8, 0.5)).value(),
            BlockPattern::FromBlocks(8, 8, {}).value());
}

TEST(GeneratorTest, AllEqualEntriesGiveTheFirstTopBlocksRowByRow) {
  const std::vector<float> values(16, 0.25f);
  // floor(16 * 0.5 - 4) = 4, filter of one: the first row.
  EXPECT_THAT(GeneratePattern({values, 4}, Options(PatternKind::kC, 1, 0.5, 1)).value().mask(),
              ElementsAre(1, 1, 1, 1,  //
                          0, 1, 0, 0,  //
                          0, 0, 1, 0,  //
                          0, 0, 0, 1));
}

TEST(GeneratorTest, AMapOfZerosGivesTheDiagonal) {
  const std::vector<float> values(64 * 64, 0.0f);
  for (const PatternKind kind : {PatternKind::kF, PatternKind::kCF}) {
    EXPECT_EQ(GeneratePattern({values, 64}, Options(kind, 8, 0.9)).value().kept_blocks(), 8);
  }
}

TEST(GeneratorTest, ASingleBlockIsItsOwnDiagonal) {
  const std::vector<float> values = RandomAttentionMap(16, /*seed=*/5);
  for (const PatternKind kind : kAllKinds) {
    EXPECT_THAT(GeneratePattern({values, 16}, Options(kind, 16, 0.5)).value().mask(),
                ElementsAre(1));
  }
}

struct Size {
  int64_t side;
  int block_size;
};

class GeneratorOracleTest : public testing::TestWithParam<std::tuple<PatternKind, Size>> {};

TEST_P(GeneratorOracleTest, EqualsThePlainLoops) {
  const auto [kind, size] = GetParam();
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const std::vector<float> values = RandomAttentionMap(size.side, seed);
    for (const double share : {0.04, 0.3, 0.5, 0.96, 0.99, 1.0}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", share " << share);
      const GeneratorOptions options = Options(kind, size.block_size, share);
      const absl::StatusOr<BlockPattern> pattern = GeneratePattern({values, size.side}, options);
      ASSERT_TRUE(pattern.ok()) << pattern.status();
      EXPECT_EQ(pattern->mask(), NaivePatternMask({values, size.side}, options));
      for (int i = 0; i < pattern->blocks_per_side(); ++i) EXPECT_TRUE(pattern->contains(i, i));
    }
  }
}

// Shorter than the filter, as long, a little longer, odd blocks, and the shapes of the tasks.
INSTANTIATE_TEST_SUITE_P(
    Sizes, GeneratorOracleTest,
    testing::Combine(testing::ValuesIn(kAllKinds),
                     testing::Values(Size{1, 1}, Size{8, 2}, Size{15, 3}, Size{31, 1}, Size{32, 8},
                                     Size{38, 19}, Size{99, 11}, Size{256, 32}, Size{512, 64})),
    [](const auto& info) {
      const Size size = std::get<1>(info.param);
      return std::string(PatternKindName(std::get<0>(info.param))) + "_L" +
             std::to_string(size.side) + "_b" + std::to_string(size.block_size);
    });

TEST(GeneratorTest, NamesTheEntryThatIsNotFinite) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const PatternKind kind : kAllKinds) {
    for (const float bad : {nan, infinity, -infinity}) {
      std::vector<float> values = RandomAttentionMap(64, /*seed=*/6);
      values[40 * 64 + 17] = bad;
      values[41 * 64 + 18] = -bad;  // the same diagonal, after it
      ExpectInvalid(GeneratePattern({values, 64}, Options(kind, 8, 0.5)), "row 40, column 17");
    }
  }
}

TEST(GeneratorTest, FindsAnEntryThatIsNotFiniteInEveryCorner) {
  for (const PatternKind kind : kAllKinds) {
    for (const int64_t row : {0, 63}) {
      for (const int64_t column : {0, 63}) {
        std::vector<float> values(64 * 64, 0.0f);
        values[row * 64 + column] = std::numeric_limits<float>::quiet_NaN();
        const std::string place =
            "row " + std::to_string(row) + ", column " + std::to_string(column);
        ExpectInvalid(GeneratePattern({values, 64}, Options(kind, 8, 0.5)), place.c_str());
      }
    }
  }
}

TEST(GeneratorTest, TakesTheLargestFloats) {
  const std::vector<float> values(64 * 64, std::numeric_limits<float>::max());
  for (const PatternKind kind : kAllKinds) {
    EXPECT_TRUE(GeneratePattern({values, 64}, Options(kind, 8, 0.5)).ok());
  }
}

TEST(GeneratorTest, RefusesASideThatTheBlockDoesNotDivide) {
  const std::vector<float> values(100);
  for (const PatternKind kind : kAllKinds) {
    ExpectInvalid(GeneratePattern({values, 10}, Options(kind, 4, 0.5)), "side 10");
    ExpectInvalid(GeneratePattern({values, 10}, Options(kind, 0, 0.5)), "block size 0");
  }
}

TEST(GeneratorTest, RefusesSharesOutsideZeroToOne) {
  const std::vector<float> values(16);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double share : {0.0, -0.1, 1.0001, nan}) {
    ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kC, 2, share)), "density = ");
    ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kF, 2, share)), "threshold = ");
    ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kCF, 2, share)),
                  "threshold = ");
  }
}

TEST(GeneratorTest, LooksOnlyAtTheOptionsOfItsKind) {
  const std::vector<float> values(16);
  GeneratorOptions options = Options(PatternKind::kF, 2, 0.5);
  options.density = -1.0;
  options.filter_width = 2;
  EXPECT_TRUE(GeneratePattern({values, 4}, options).ok());
  options = Options(PatternKind::kC, 2, 0.5);
  options.threshold = -1.0;
  EXPECT_TRUE(GeneratePattern({values, 4}, options).ok());
}

TEST(GeneratorTest, RefusesAnEvenFilter) {
  const std::vector<float> values(16);
  ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kC, 2, 0.5, 30)), "width 30");
  ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kCF, 2, 0.5, 30)), "width 30");
}

TEST(GeneratorTest, RefusesAMapThatIsEmptyOrNotSquare) {
  const std::vector<float> values(15);
  ExpectInvalid(GeneratePattern({{}, 0}, Options(PatternKind::kF, 2, 0.5)), "at least 1 x 1");
  ExpectInvalid(GeneratePattern({values, 4}, Options(PatternKind::kF, 2, 0.5)), "15 values");
}

TEST(PatternKindTest, NamesGoBothWays) {
  for (const PatternKind kind : kAllKinds) {
    EXPECT_EQ(ParsePatternKind(PatternKindName(kind)).value(), kind);
  }
  EXPECT_EQ(PatternKindName(PatternKind::kC), "c");
  EXPECT_EQ(PatternKindName(PatternKind::kF), "f");
  EXPECT_EQ(PatternKindName(PatternKind::kCF), "cf");
}

TEST(PatternKindTest, RefusesOtherNames) {
  for (const char* name : {"", "C", "fc", "cf ", "dense"}) {
    const absl::StatusOr<PatternKind> kind = ParsePatternKind(name);
    EXPECT_EQ(kind.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(kind.status().message(), HasSubstr("expected one of c, f, cf"));
  }
}

}  // namespace
}  // namespace spion
