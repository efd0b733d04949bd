#include "experiments/failure_text.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string TextOf(const std::function<void()>& fail) {
  try {
    fail();
  } catch (...) {
    return FailureText(std::current_exception());
  }
  return "nothing was thrown";
}

TEST(FailureTextTest, MemoryThatCannotBeHadIsASentence) {
  const auto is_sentence =
      AllOf(HasSubstr("not enough memory"), HasSubstr("--batch_size"), Not(HasSubstr("\n")));
  EXPECT_THAT(TextOf([] { throw std::bad_alloc(); }), is_sentence);
  EXPECT_THAT(TextOf([] { C10_THROW_ERROR(OutOfMemoryError, "CUDA out of memory"); }), is_sentence);
  // More than any address space has.
  EXPECT_THAT(TextOf([] { at::empty({int64_t{1} << 50}, at::kFloat); }), is_sentence);
}

TEST(FailureTextTest, OthersSayWhatTheySay) {
  EXPECT_EQ(TextOf([] { TORCH_CHECK(false, "a length of 3"); }), "a length of 3");
  EXPECT_EQ(TextOf([] { throw std::runtime_error("why"); }), "why");
  EXPECT_EQ(TextOf([] { throw 3; }), "an exception of an unknown kind");
}

}  // namespace
}  // namespace spion
