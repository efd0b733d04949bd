#include "spion/ops/stable/refuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "absl/status/status.h"

namespace spion {
namespace {

using ::testing::StrEq;
using ::testing::ThrowsMessage;

TEST(RefuseTest, ThrowsItsParts) {
  EXPECT_THAT([] { Refuse("spion::op: ", 3); },
              ThrowsMessage<std::invalid_argument>(StrEq("spion::op: 3")));
}

TEST(CheckTest, ThrowsItsPartsUnlessItHolds) {
  EXPECT_NO_THROW(Check(true, "spion::op: ", 3));
  EXPECT_THAT([] { Check(false, "spion::op: ", 3); },
              ThrowsMessage<std::invalid_argument>(StrEq("spion::op: 3")));
}

TEST(CheckOkTest, KindAndMessageTellARefusalFromAFailure) {
  EXPECT_NO_THROW(CheckOk("spion::op", absl::OkStatus()));
  EXPECT_THAT([] { CheckOk("spion::op", absl::InvalidArgumentError("k is odd")); },
              ThrowsMessage<std::invalid_argument>(StrEq("spion::op: k is odd")));
  EXPECT_THAT([] { CheckOk("spion::op", absl::InternalError("no launch")); },
              ThrowsMessage<std::runtime_error>(StrEq("spion::op failed: no launch")));
}

}  // namespace
}  // namespace spion
