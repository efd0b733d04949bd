#include "spion/kernels/cuda_emulation/thread_block.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using emulation::BlockBarrier;
using emulation::BlockIndex;
using emulation::kSharedStart;
using emulation::SharedAt;
using emulation::ThreadIndex;

float& SharedFloat(uint32_t i) {
  return *reinterpret_cast<float*>(SharedAt(kSharedStart + 4 * i, 4));
}

TEST(RunKernelTest, RunsEveryThreadOfEveryBlock) {
  std::vector<int> calls(2 * 3 * 64);
  RunKernel({.grid = {2, 3, 1}, .threads = 64, .shared_bytes = 0, .seed = 1},
            [&] { ++calls[(BlockIndex().y * 2 + BlockIndex().x) * 64 + ThreadIndex().x]; });
  EXPECT_THAT(calls, testing::Each(1));
}

TEST(RunKernelTest, ABarrierShowsWhatOthersWrote) {
  std::vector<float> seen(96);
  for (uint64_t seed = 0; seed < 8; ++seed) {
    RunKernel({.grid = {1, 1, 1}, .threads = 96, .shared_bytes = 96 * 4, .seed = seed}, [&] {
      const unsigned i = ThreadIndex().x;
      SharedFloat(i) = static_cast<float>(i);
      BlockBarrier();
      seen[i] = SharedFloat(95 - i);
    });
    for (int i = 0; i < 96; ++i) EXPECT_EQ(seen[i], 95 - i) << seed;
  }
}

TEST(RunKernelTest, WithoutABarrierSomeOrderShowsIt) {
  bool missed = false;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    RunKernel({.grid = {1, 1, 1}, .threads = 32, .shared_bytes = 32 * 4, .seed = seed}, [&] {
      const unsigned i = ThreadIndex().x;
      SharedFloat(i) = 1;
      missed = missed || std::isnan(SharedFloat(31 - i));
    });
  }
  EXPECT_TRUE(missed);
}

TEST(RunKernelTest, ACopyArrivesWhenItsThreadWaits) {
  const std::vector<float> source = {1, 2, 3, 4};
  bool early = false;
  float first = 0;
  float second = 0;
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .shared_bytes = 32, .seed = 1}, [&] {
    emulation::StartCopy(kSharedStart, source.data(), 8);
    emulation::CommitCopies();
    emulation::StartCopy(kSharedStart + 8, &source[2], 8);
    emulation::CommitCopies();
    early = !std::isnan(SharedFloat(0));
    emulation::WaitForCopies(1);
    first = SharedFloat(1);
    early = early || !std::isnan(SharedFloat(2));
    emulation::WaitForCopies(0);
    second = SharedFloat(3);
  });
  EXPECT_FALSE(early);
  EXPECT_EQ(first, 2);
  EXPECT_EQ(second, 4);
}

TEST(RunKernelTest, ExchangesWithinAWarp) {
  std::vector<int> sums(64);
  RunKernel({.grid = {1, 1, 1}, .threads = 64, .shared_bytes = 0, .seed = 3}, [&] {
    const auto i = static_cast<int>(ThreadIndex().x);
    for (int value : emulation::Exchange(i)) sums[i] += value;
  });
  for (int i = 0; i < 64; ++i) EXPECT_EQ(sums[i], i < 32 ? 496 : 496 + 32 * 32);
}

TEST(RunKernelTest, ResidentThreadBlocksWaitForEachOther) {
  constexpr int kBlocks = 3;
  const EmulatedLaunch launch = {
      .grid = {kBlocks, 1, 1}, .threads = 1, .shared_bytes = 4, .seed = 1, .resident = kBlocks};
  int next = kBlocks - 1;
  RunKernel(launch, [&] {
    const auto block = static_cast<int>(BlockIndex().x);
    EXPECT_TRUE(std::isnan(SharedFloat(0)));
    SharedFloat(0) = static_cast<float>(block);
    while (next != block) emulation::Yield();  // from the last one to the first
    EXPECT_EQ(SharedFloat(0), static_cast<float>(block));
    --next;
    emulation::MaybeYield();
  });
  EXPECT_EQ(next, -1);
}

TEST(RunKernelDeathTest, NamesWhatIsWrong) {
  const EmulatedLaunch launch = {.grid = {1, 1, 1}, .threads = 32, .shared_bytes = 64, .seed = 1};
  EXPECT_DEATH(RunKernel(launch, [] { SharedAt(kSharedStart + 64, 4); }),
               "outside shared memory \\(1088\\)");
  EXPECT_DEATH(RunKernel(launch, [] { SharedAt(0, 4); }), "outside shared memory \\(0\\)");
  EXPECT_DEATH(RunKernel(launch, [] { SharedAt(6, 4); }), "misaligned shared address \\(6\\)");
  EXPECT_DEATH(RunKernel(launch,
                         [] {
                           if (ThreadIndex().x != 0) BlockBarrier();
                         }),
               "threads wait for each other, so many \\(31\\)");
  const EmulatedLaunch two = {
      .grid = {2, 1, 1}, .threads = 1, .shared_bytes = 0, .seed = 1, .resident = 2};
  EXPECT_DEATH(RunKernel(two,
                         [] {
                           while (BlockIndex().x == 1) emulation::Yield();
                         }),
               "threads wait for each other, so many \\(1\\)");
}

}  // namespace
}  // namespace spion
