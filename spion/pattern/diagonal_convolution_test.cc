#include "spion/pattern/diagonal_convolution.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/base/status.h"
#include "spion/pattern/pattern_oracle.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<float>& OneToNine() {
  static const auto& values = *new std::vector<float>{1, 2, 3,  //
                                                      4, 5, 6,  //
                                                      7, 8, 9};
  return values;
}

/// The whole result, row-major [L, L].
absl::StatusOr<std::vector<double>> Convolution(MapView map, int width) {
  std::vector<double> result;
  RETURN_IF_ERROR(VisitDiagonalConvolution(map, width, [&](absl::Span<const double> row) {
    result.insert(result.end(), row.begin(), row.end());
  }));
  return result;
}

TEST(DiagonalConvolutionTest, AddsTheNeighboursOnTheDiagonal) {
  EXPECT_THAT(Convolution({OneToNine(), 3}, 3).value(), ElementsAre(1 + 5, 2 + 6, 3,          //
                                                                    4 + 8, 1 + 5 + 9, 2 + 6,  //
                                                                    7, 4 + 8, 5 + 9));
}

TEST(DiagonalConvolutionTest, WidthOneChangesNothing) {
  EXPECT_THAT(Convolution({OneToNine(), 3}, 1).value(), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(DiagonalConvolutionTest, AFilterWiderThanTheMapAddsWholeDiagonals) {
  for (const int width : {5, 7, 31, std::numeric_limits<int>::max()}) {
    SCOPED_TRACE(width);
    EXPECT_THAT(Convolution({OneToNine(), 3}, width).value(), ElementsAre(15, 8, 3,   //
                                                                          12, 15, 8,  //
                                                                          7, 12, 15));
  }
}

TEST(DiagonalConvolutionTest, AnEntryReachesHalfTheWidthBothWaysAndNoFurther) {
  std::vector<float> values(7 * 7, 0.0f);
  values[2 * 7 + 3] = 1.0f;
  const std::vector<double> result = Convolution({values, 7}, 3).value();
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 7; ++j) {
      const bool reached = j == i + 1 && i >= 1 && i <= 3;
      EXPECT_EQ(result[i * 7 + j], reached ? 1.0 : 0.0) << i << ", " << j;
    }
  }
}

TEST(DiagonalConvolutionTest, AddsAsManyEntriesAsThePapersFilterIsWide) {
  const std::vector<float> ones(64 * 64, 1.0f);
  const std::vector<double> result = Convolution({ones, 64}, kDiagonalFilterWidth).value();
  EXPECT_EQ(result[32 * 64 + 32], 31.0);
  EXPECT_EQ(result[0], 16.0);             // itself and 15 below
  EXPECT_EQ(result[63 * 64 + 63], 16.0);  // itself and 15 above
  EXPECT_EQ(result[63], 1.0);             // the corner off the diagonal stands alone
}

TEST(DiagonalConvolutionTest, EqualsTheMultiplyAddsExactlyOnAGrid) {
  for (const int64_t side : {1, 2, 15, 16, 17, 30, 31, 32, 33, 64, 99, 256}) {
    for (const int width : {1, 3, 31, 65}) {
      SCOPED_TRACE(testing::Message() << "side " << side << ", width " << width);
      const std::vector<float> values = RandomAttentionMap(side, /*seed=*/side);
      EXPECT_EQ(Convolution({values, side}, width).value(),
                NaiveConvolution({values, side}, width));
    }
  }
}

TEST(DiagonalConvolutionTest, StaysWithinItsErrorBoundOnEntriesOfManyMagnitudes) {
  constexpr int64_t kSide = 512;
  Random random(/*seed=*/5);
  std::vector<float> values(kSide * kSide);
  for (float& value : values) {
    value = static_cast<float>(std::ldexp(random.Uniform(), -static_cast<int>(random.Below(60))));
  }
  const std::vector<double> result = Convolution({values, kSide}, 31).value();
  const std::vector<double> expected = NaiveConvolution({values, kSide}, 31);
  const double bound = 2.0 * kSide * 0x1p-53 * 31.0;  // entries are below 1, windows below 31
  for (size_t i = 0; i < result.size(); ++i) {
    ASSERT_LE(std::abs(result[i] - expected[i]), bound) << i;
  }
}

TEST(DiagonalConvolutionTest, SpoilsTheDiagonalOfANaNAndNoOther) {
  std::vector<float> values(40 * 40, 1.0f);
  values[20 * 40 + 10] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> result = Convolution({values, 40}, 3).value();
  EXPECT_TRUE(std::isnan(result[20 * 40 + 10]));
  EXPECT_FALSE(std::isnan(result[20 * 40 + 11]));
  EXPECT_FALSE(std::isnan(result[20 * 40 + 9]));
}

TEST(DiagonalConvolutionTest, VisitsEveryRowOnceInOrder) {
  std::vector<double> first_entries;
  ASSERT_TRUE(VisitDiagonalConvolution({OneToNine(), 3}, 1, [&](absl::Span<const double> row) {
                EXPECT_EQ(row.size(), 3);
                first_entries.push_back(row[0]);
              }).ok());
  EXPECT_THAT(first_entries, ElementsAre(1, 4, 7));
}

TEST(DiagonalConvolutionTest, RefusesAWidthThatIsNotOddAndPositive) {
  for (const int width : {-3, -1, 0, 2, 30}) {
    const auto result = Convolution({OneToNine(), 3}, width);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(result.status().message(), HasSubstr("width " + std::to_string(width)));
  }
}

TEST(DiagonalConvolutionTest, RefusesAMapThatIsNotSquare) {
  EXPECT_FALSE(Convolution({OneToNine(), 2}, 3).ok());
  EXPECT_FALSE(Convolution({{}, 0}, 3).ok());
}

}  // namespace
}  // namespace spion
