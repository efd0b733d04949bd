// Stands in for a GPU test: one test that passes, one that is skipped, and on demand one that fails
// and one that ends the program.
#include <gtest/gtest.h>

#include <cstdlib>

namespace {

bool Wanted(const char* variable) { return std::getenv(variable) != nullptr; }

TEST(ExampleTest, Passes) {}

TEST(ExampleTest, IsSkipped) { GTEST_SKIP() << "as there is no GPU in this test"; }

TEST(ExampleTest, FailsOnDemand) { EXPECT_FALSE(Wanted("EXAMPLE_FAILS")); }

TEST(ExampleTest, EndsOnDemand) {
  if (Wanted("EXAMPLE_ENDS")) std::_Exit(3);
}

TEST(ExampleSanitizerTest, Passes) {}

}  // namespace
