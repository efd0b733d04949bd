#include "spion/base/did_you_mean.h"

#include <vector>

#include "gtest/gtest.h"

namespace spion {
namespace {

const std::vector<std::string> kKnown = {"listops", "image", "text", "batch_size", "block_size"};

TEST(DidYouMeanTest, FindsTheNearest) {
  for (const auto& [typed, meant] :
       {std::pair("imgae", "image"), std::pair("list_ops", "listops"), std::pair("texts", "text"),
        std::pair("lstops", "listops"), std::pair("batchsize", "batch_size"),
        std::pair("block-size", "block_size"), std::pair("image", "image")}) {
    EXPECT_EQ(DidYouMean(typed, kKnown), meant) << typed;
  }
}

TEST(DidYouMeanTest, SaysNothingOfWhatIsFar) {
  for (const char* typed : {"", "x", "te", "tex", "pathfinder", "image_net", "size"}) {
    EXPECT_EQ(DidYouMean(typed, kKnown), "") << typed;
  }
  EXPECT_EQ(DidYouMean("text", {}), "");
}

}  // namespace
}  // namespace spion
