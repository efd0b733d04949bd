#include "spion/pattern/map_view.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MapViewTest, RowsAreQueries) {
  const std::vector<float> values = {1, 2, 3, 4};
  const MapView map{values, 2};
  EXPECT_THAT(map.row(0), ElementsAre(1, 2));
  EXPECT_THAT(map.row(1), ElementsAre(3, 4));
  EXPECT_TRUE(CheckShape(map).ok());
}

TEST(MapViewTest, CheckShapeRefusesAnEmptyMap) {
  const std::vector<float> one = {1};
  EXPECT_EQ(CheckShape({{}, 0}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckShape({{}, 4}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckShape({one, 0}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(CheckShape({one, -1}).message(), HasSubstr("side -1 with 1 values"));
}

TEST(MapViewTest, CheckShapeRefusesASizeThatIsNotTheSquare) {
  const std::vector<float> six(6);
  EXPECT_THAT(CheckShape({six, 2}).message(), HasSubstr("6 values, expected side 2 squared"));
  EXPECT_FALSE(CheckShape({six, 3}).ok());
  EXPECT_FALSE(CheckShape({absl::MakeConstSpan(six).first(5), 2}).ok());
  EXPECT_FALSE(CheckShape({six, 6}).ok());
  EXPECT_FALSE(CheckShape({six, int64_t{1} << 62}).ok());
}

}  // namespace
}  // namespace spion
