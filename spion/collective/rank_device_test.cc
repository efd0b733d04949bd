#include "spion/collective/rank_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace spion {
namespace {

using ::testing::HasSubstr;

const c10::Device kGpu(at::kCUDA, 0);

Launch Rank(int rank, std::optional<int> local_rank) {
  Launch launch;
  launch.rank = rank;
  launch.ranks = 8;
  launch.local_rank = local_rank;
  return launch;
}

TEST(RankDeviceTest, IsThatOfItsNumberOnTheHost) {
  EXPECT_EQ(DeviceOfRank(kGpu, Rank(7, 3), 4)->index(), 3);
  EXPECT_EQ(DeviceOfRank(kGpu, Rank(7, 0), 4)->index(), 0);
}

TEST(RankDeviceTest, IsTheOneThatIsVisible) {
  EXPECT_EQ(DeviceOfRank(kGpu, Rank(7, 3), 1)->index(), 0);
  EXPECT_EQ(DeviceOfRank(kGpu, Rank(7, std::nullopt), 1)->index(), 0);
}

TEST(RankDeviceTest, AloneAndOnTheCpuIsAsItWas) {
  EXPECT_EQ(DeviceOfRank(kGpu, Launch(), 4).value(), kGpu);
  EXPECT_TRUE(DeviceOfRank(at::kCPU, Rank(7, 3), 1)->is_cpu());
}

TEST(RankDeviceTest, TooFewAreAnError) {
  EXPECT_THAT(std::string(DeviceOfRank(kGpu, Rank(7, 3), 2).status().message()),
              HasSubstr("rank 7 is number 3 on its host, where 2 GPUs"));
  EXPECT_THAT(std::string(DeviceOfRank(kGpu, Rank(7, std::nullopt), 2).status().message()),
              HasSubstr("set LOCAL_RANK"));
}

}  // namespace
}  // namespace spion
