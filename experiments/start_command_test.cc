#include "experiments/start_command.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace spion {
namespace {

TEST(StartCommandTest, IsBazelsWhereNobodySaysOtherwise) {
  for (const char* starter : {"", static_cast<const char*>(nullptr)}) {
    unsetenv("SPION_STARTED_BY");
    if (starter != nullptr) setenv("SPION_STARTED_BY", starter, /*overwrite=*/1);
    EXPECT_EQ(Starter(), std::nullopt);
    EXPECT_EQ(StartCommand("image", "cf"), "bazel run //experiments:lra_image_cf --");
  }
}

TEST(StartCommandTest, IsTheBundlesAsItWasTyped) {
  setenv("SPION_STARTED_BY", "my\\ bundle/run lra", /*overwrite=*/1);
  EXPECT_EQ(Starter(), "my\\ bundle/run lra");
  EXPECT_EQ(StartCommand("image", "cf"), "my\\ bundle/run lra --task=image --method=cf");
}

}  // namespace
}  // namespace spion
