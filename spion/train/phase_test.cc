#include "spion/train/phase.h"

#include <gtest/gtest.h>

#include <utility>

namespace spion {
namespace {

TEST(PhaseTest, IsFoundByItsName) {
  for (const auto& [phase, name] :
       {std::pair(Phase::kDense, "dense"), std::pair(Phase::kSparse, "sparse"),
        std::pair(Phase::kSingle, "single")}) {
    EXPECT_EQ(PhaseName(phase), name);
    EXPECT_EQ(FindPhase(name), phase);
  }
  EXPECT_EQ(FindPhase("Dense"), std::nullopt);
  EXPECT_EQ(FindPhase(""), std::nullopt);
}

}  // namespace
}  // namespace spion
