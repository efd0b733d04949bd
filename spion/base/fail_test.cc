#include "spion/base/fail.h"

#include "gtest/gtest.h"

namespace spion {
namespace {

TEST(FailTest, SaysTheErrorAndGivesTheExitCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Fail("no such file"), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: no such file\n");
}

}  // namespace
}  // namespace spion
