#include "spion/kernels/cuda_emulation/warpgroup.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"

namespace spion {
namespace {

using emulation::kSharedStart;
using emulation::SharedAt;
using emulation::ThreadIndex;

constexpr int kThreads = 128;
constexpr uint32_t kRowBytes = 128;
constexpr uint32_t kRows = 64;  // of a tile of 64 columns
constexpr uint32_t kTileBytes = kRows * kRowBytes;
// Addresses of two tiles and a barrier.
constexpr uint32_t kLeft = kSharedStart;
constexpr uint32_t kRight = kLeft + kTileBytes;
constexpr uint32_t kBarrier = kRight + kTileBytes;
constexpr EmulatedLaunch kLaunch = {
    .grid = {1, 1, 1}, .threads = kThreads, .shared_bytes = 2 * kTileBytes + 8, .seed = 1};

/// Small integers, as numbers of 16 bits: products and sums are exact.
float Widen(uint16_t bits) { return static_cast<float>(static_cast<int16_t>(bits)); }
std::vector<uint16_t> Numbers(int step) {
  std::vector<uint16_t> numbers(kTileBytes / 2);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<uint16_t>(i * step % 17) - 8;
  }
  return numbers;
}
emulation::TileSource Source(const std::vector<uint16_t>& numbers) {
  return {.data = numbers.data(),
          .example_stride = 0,
          .head_stride = 0,
          .row_stride = kRowBytes,
          .rows = kRows,
          .panels = 1,
          .row_bytes = kRowBytes};
}
uint64_t Name(uint32_t address) {
  return uint64_t{1} << 62 | uint64_t{8 * kRowBytes / 16} << 32 | address / 16;
}

/// Brings both tiles; everyone has them afterwards.
void LoadTiles(const std::vector<uint16_t>& left, const std::vector<uint16_t>& right) {
  if (ThreadIndex().x == 0) {
    emulation::InitPhases(kBarrier, 1);
    emulation::ArriveAtPhase(kBarrier, 2 * kTileBytes);
    emulation::StartTileCopy(kLeft, Source(left), kBarrier, 0, 0, 0);
    emulation::StartTileCopy(kRight, Source(right), kBarrier, 0, 0, 0);
  }
  emulation::BlockBarrier();
  while (!emulation::PhaseIsOver(kBarrier, 0)) {
  }
}

emulation::ProductOperands Product(float* sum, bool by_columns, bool left_by_columns = false) {
  return {.sum = sum,
          .values = 32,
          .left = nullptr,
          .left_name = Name(kLeft),
          .right_name = Name(kRight),
          .left_by_columns = left_by_columns,
          .by_columns = by_columns,
          .adds = false,
          .widen = Widen};
}

TEST(WarpgroupTest, MultipliesTiles) {
  const std::vector<uint16_t> left = Numbers(3);
  const std::vector<uint16_t> right = Numbers(5);
  for (const auto& [by_columns, left_by_columns] :
       {std::pair(false, false), std::pair(true, false), std::pair(true, true)}) {
    std::vector<float> result(64 * 64);
    RunKernel(kLaunch, [&] {
      LoadTiles(left, right);
      float sum[32];
      emulation::BeginProducts();
      emulation::StartProduct(Product(sum, by_columns, left_by_columns));
      emulation::CommitProducts();
      emulation::WaitForProducts(0);
      const unsigned lane = ThreadIndex().x % 32;
      for (int v = 0; v < 32; ++v) {
        const unsigned row = ThreadIndex().x / 32 * 16 + lane / 4 + v % 4 / 2 * 8;
        result[row * 64 + v / 4 * 8 + lane % 4 * 2 + v % 2] = sum[v];
      }
    });
    for (int row = 0; row < 64; ++row) {
      for (int column = 0; column < 64; ++column) {
        float expected = 0;
        for (int i = 0; i < 16; ++i) {
          expected += Widen(left_by_columns ? left[i * 64 + row] : left[row * 64 + i]) *
                      Widen(by_columns ? right[i * 64 + column] : right[column * 64 + i]);
        }
        ASSERT_EQ(result[row * 64 + column], expected) << row << ", " << column << by_columns;
      }
    }
  }
}

TEST(WarpgroupTest, SumsAreThereWhenWaitedFor) {
  const std::vector<uint16_t> ones(kTileBytes / 2, 1);
  RunKernel(kLaunch, [&] {
    LoadTiles(ones, ones);
    float first[32];
    float second[32];
    emulation::BeginProducts();
    emulation::StartProduct(Product(first, false));
    emulation::CommitProducts();
    emulation::StartProduct(Product(second, false));
    emulation::CommitProducts();
    EXPECT_TRUE(std::isnan(first[0]));
    emulation::WaitForProducts(1);
    EXPECT_EQ(first[0], 16);
    EXPECT_TRUE(std::isnan(second[0]));
    emulation::WaitForProducts(0);
    EXPECT_EQ(second[0], 16);
  });
}

TEST(WarpgroupTest, OperandsInRegistersAreReadLate) {
  const std::vector<uint16_t> ones(kTileBytes / 2, 1);
  RunKernel(kLaunch, [&] {
    LoadTiles(ones, ones);
    float sum[32];
    uint32_t left[4] = {0x00010001, 0x00010001, 0x00010001, 0x00010001};
    emulation::ProductOperands product = Product(sum, false);
    product.left = left;
    emulation::BeginProducts();
    emulation::StartProduct(product);
    emulation::CommitProducts();
    for (uint32_t& word : left) word = 0;
    emulation::WaitForProducts(0);
    EXPECT_EQ(sum[0], 0);
  });
}

TEST(WarpgroupTest, ATileIsNotThereBeforeItsPhaseIsOver) {
  const std::vector<uint16_t> ones(kTileBytes / 2, 1);
  RunKernel(kLaunch, [&] {
    if (ThreadIndex().x != 0) return;
    emulation::InitPhases(kBarrier, 1);
    std::memset(SharedAt(kLeft, 16), 0, kTileBytes);
    emulation::StartTileCopy(kLeft, Source(ones), kBarrier, 0, 0, 0);
    uint16_t number;
    std::memcpy(&number, SharedAt(kLeft, 2), 2);
    EXPECT_EQ(number, 0xffff);
    emulation::ArriveAtPhase(kBarrier, kTileBytes);
    while (!emulation::PhaseIsOver(kBarrier, 0)) {
    }
    std::memcpy(&number, SharedAt(kLeft, 2), 2);
    EXPECT_EQ(number, 1);
  });
}

TEST(WarpgroupTest, SomeCopiesArriveOnlyWhileTheyAreWaitedFor) {
  constexpr uint32_t kBytes = 16;
  constexpr uint32_t kCopies = 32;
  constexpr uint32_t kOther =
      kLeft + kCopies * kBytes;  // where other copies go, one after the other
  const std::vector<uint16_t> ones(kBytes / 2, 1);
  RunKernel(kLaunch, [&] {
    if (ThreadIndex().x != 0) return;
    const auto barrier = [](uint32_t copy) { return kRight + 8 * copy; };
    const auto start = [&](uint32_t to, uint32_t of) {
      emulation::ArriveAtPhase(of, kBytes);
      emulation::StartBulkCopy(to, ones.data(), kBytes, of);
    };
    const auto wait = [](uint32_t of, uint32_t parity) {
      while (!emulation::PhaseIsOver(of, parity)) {
      }
    };
    const auto arrived = [&] {
      uint32_t count = 0;
      for (uint32_t i = 0; i < kCopies; ++i) count += *SharedAt(kLeft + i * kBytes, 1) == 1 ? 1 : 0;
      return count;
    };
    emulation::InitPhases(kBarrier, 1);
    for (uint32_t i = 0; i < kCopies; ++i) emulation::InitPhases(barrier(i), 1);
    for (uint32_t i = 0; i < kCopies; ++i) start(kLeft + i * kBytes, barrier(i));
    for (uint32_t i = 0; i < 2 * kCopies; ++i) {
      start(kOther, kBarrier);
      wait(kBarrier, i % 2);
    }
    EXPECT_GT(arrived(), 0);
    EXPECT_LT(arrived(), kCopies);
    for (uint32_t i = 0; i < kCopies; ++i) wait(barrier(i), 0);
    EXPECT_EQ(arrived(), kCopies);
  });
}

TEST(WarpgroupDeathTest, MistakesEndTheProgram) {
  const std::vector<uint16_t> ones(kTileBytes / 2, 1);
  EXPECT_DEATH(RunKernel(kLaunch,
                         [] {
                           if (ThreadIndex().x == 0) emulation::InitPhases(kBarrier, 1);
                           emulation::BlockBarrier();
                           while (!emulation::PhaseIsOver(kBarrier, 0)) {
                           }
                         }),
               "wait for each other");
  EXPECT_DEATH(RunKernel(kLaunch, [] { emulation::PhaseIsOver(kBarrier + 0, 1); }), "not made");
  EXPECT_DEATH(RunKernel(kLaunch,
                         [&] {
                           LoadTiles(ones, ones);
                           float sum[32];
                           emulation::StartProduct(Product(sum, false));
                         }),
               "without BeginProducts");
  const auto store_and_multiply = [&](bool publish) {
    RunKernel(kLaunch, [&] {
      LoadTiles(ones, ones);
      if (ThreadIndex().x == 5) {
        emulation::NoteWrite(kLeft + 4);
        if (publish) emulation::PublishWrites();
      }
      emulation::BlockBarrier();
      float sum[32];
      emulation::BeginProducts();
      emulation::StartProduct(Product(sum, false));
      emulation::CommitProducts();
      emulation::WaitForProducts(0);
    });
  };
  store_and_multiply(true);
  EXPECT_DEATH(store_and_multiply(false), "did not publish");
  EXPECT_DEATH(RunKernel(kLaunch,
                         [&] {
                           emulation::InitPhases(kBarrier, 1);
                           emulation::StartTileCopy(kLeft + 512, Source(ones), kBarrier, 0, 0, 0);
                         }),
               "misaligned");
}

}  // namespace
}  // namespace spion
