// Sums by the device code on the CPU, held against sums in double. Launches are as sums.cu makes
// them, with as many thread blocks as the rows of a test are worth.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/random.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/column_sums.cuh"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/token_sums.cuh"
#include "spion/testing/seed.h"

namespace spion::cuda {
namespace {

template <typename T>
class EmulatedColumnSumsTest : public testing::Test {};
using Numbers32And16 = testing::Types<float, BFloat16>;
TYPED_TEST_SUITE(EmulatedColumnSumsTest, Numbers32And16);

template <typename T>
void ExpectColumnSums(int64_t rows, unsigned blocks) {
  constexpr int64_t kWidth = 192;
  const auto x = Numbers<T>(rows * kWidth, 0.5, 8);
  std::vector<float> scratch(blocks * kWidth), sums(kWidth);
  const ColumnSums<T> call = {rows, kWidth, x.data(), sums.data(), scratch.data()};
  RunKernel(
      {.grid = {blocks, kWidth / kColumnsAtOnce, 1}, .threads = kRowThreads, .seed = TestSeed(9)},
      [&] { ColumnSumsKernel<T>(call); });
  if (blocks > 1) RunSumParts(scratch, blocks, kWidth, sums.data());
  std::vector<double> expected(kWidth);
  for (int64_t i = 0; i < rows * kWidth; ++i) expected[i % kWidth] += Widen(x[i]);
  ExpectNear(sums, expected, 1e-5, "sum");
}

TYPED_TEST(EmulatedColumnSumsTest, AddsUpColumns) {
  for (const int64_t rows : {1, 17, 700}) {
    ExpectColumnSums<TypeParam>(rows, 2);
    ExpectColumnSums<TypeParam>(rows, 1);
  }
}

/// Which token each of `rows` rows has.
using TokenOfRow = int64_t (*)(int64_t row, int64_t vocabulary);

void ExpectTokenSums(int64_t rows, int64_t width, int64_t vocabulary, TokenOfRow token_of_row) {
  const auto x = Numbers<float>(rows * width, 0.5, 15);
  std::vector<int64_t> ids(rows);
  std::vector<double> expected(vocabulary * width);
  for (int64_t r = 0; r < rows; ++r) {
    ids[r] = token_of_row(r, vocabulary);
    for (int64_t c = 0; c < width; ++c) expected[ids[r] * width + c] += x[r * width + c];
  }
  const auto blocks = static_cast<unsigned>(TokenSumBlocks(rows));
  std::vector<float> scratch(blocks * vocabulary * width, NAN), sums(vocabulary * width);
  const TokenSums call = {.rows = rows,
                          .width = width,
                          .vocabulary = vocabulary,
                          .ids = {nullptr, ids.data()},
                          .x = x.data(),
                          .sums = sums.data(),
                          .scratch = scratch.data()};
  RunKernel({.grid = {blocks, static_cast<unsigned>(width / kTokenColumns), 1},
             .threads = kSortThreads,
             .seed = TestSeed(16)},
            [&] { TokenSumsKernel(call); });
  RunSumParts(scratch, blocks, vocabulary * width, sums.data());
  ExpectNear(sums, expected, 1e-4, "sum");
}

TEST(EmulatedTokenSumsTest, AddsUpTheRowsOfEachToken) {
  const TokenOfRow spread = [](int64_t row, int64_t vocabulary) {
    return row * 7919 % 104729 % vocabulary;
  };
  ExpectTokenSums(1, 64, 3, spread);
  ExpectTokenSums(1030, 128, 20, spread);  // runs of more than a warp's 32 rows
  ExpectTokenSums(1500, 64, 256, spread);  // runs of a few rows
  ExpectTokenSums(600, 64, 1024, spread);  // fewer rows than tokens
}

TEST(EmulatedTokenSumsTest, OneTokenMayHaveMostRows) {
  const TokenOfRow all = [](int64_t, int64_t vocabulary) { return vocabulary - 1; };
  ExpectTokenSums(2048, 64, 9, all);
  const TokenOfRow most = [](int64_t row, int64_t) { return int64_t{row % 100 == 0 ? 3 : 5}; };
  ExpectTokenSums(1024, 64, 9, most);
  ExpectTokenSums(1000, 64, 6, most);
}

TEST(EmulatedTokenSumsTest, SortsAnyKeys) {
  Random random(TestSeed(17));
  std::vector<uint32_t> keys(kSortThreads);
  for (uint32_t& key : keys) key = static_cast<uint32_t>(random.Normal() * 1e8);
  std::vector<uint32_t> expected = keys;
  std::sort(expected.begin(), expected.end());
  RunKernel({.grid = {1, 1, 1}, .threads = kSortThreads, .seed = TestSeed(18)}, [&] {
    __shared__ uint32_t buffer[2][kSortThreads];
    keys[threadIdx.x] = SortKeys(keys[threadIdx.x], buffer);
  });
  EXPECT_EQ(keys, expected);
}

}  // namespace
}  // namespace spion::cuda
