#include "spion/collective/team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

RankPlace Place(const std::string& host, const std::string& device) {
  return {.host = host, .device = device, .device_name = ""};
}

TEST(CheckOneKindTest, TakesOneKindOfDevice) {
  EXPECT_TRUE(CheckOneKind({Place("a", "cpu"), Place("b", "cpu")}).ok());
  EXPECT_TRUE(CheckOneKind({Place("a", "cuda:0"), Place("a", "cuda:1")}).ok());
}

TEST(CheckOneKindTest, NamesWhoHasWhat) {
  const absl::Status status =
      CheckOneKind({Place("a", "cuda:0"), Place("b", "cpu"), Place("c", "cuda:1")});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("cpu has rank 1 on b;"),
                    HasSubstr("cuda has rank 0 on a, rank 2 on c."), HasSubstr("--device")));
}

TEST(TeamTest, OneRankAloneHasTheErrorOfItsDevice) {
  EXPECT_EQ(Team::Join(Launch(), absl::NotFoundError("no GPU")).status().message(), "no GPU");
}

}  // namespace
}  // namespace spion
