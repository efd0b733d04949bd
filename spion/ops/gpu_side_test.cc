#include "spion/ops/gpu_side.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spion {
namespace {

struct Doubles {
  static constexpr char kName[] = "doubles";
  virtual ~Doubles() = default;
  virtual int Double(int x) const = 0;
};
struct Halves {
  static constexpr char kName[] = "halves";
};

struct DoublesBySum final : Doubles {
  int Double(int x) const override { return x + x; }
};
const DoublesBySum kDoubles;
const GpuSide<Doubles> kGpuSide(kDoubles);

TEST(GpuSideTest, IsWhatTheProgramLinks) { EXPECT_EQ(GpuSide<Doubles>::Get().Double(21), 42); }

TEST(GpuSideTest, SaysWhatIsLackingAndTheWayOut) {
  EXPECT_THAT(
      [] { GpuSide<Halves>::Get(); },
      testing::Throws<c10::Error>(testing::Property(
          &c10::Error::msg, testing::HasSubstr("no halves for a GPU: link //spion/ops:cuda"))));
}

}  // namespace
}  // namespace spion
