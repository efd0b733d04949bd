// Dropout's random bits, by the device code on the CPU.
#include <cstdint>

#include "gtest/gtest.h"
#include "spion/kernels/cuda_emulation/thread_block.h"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/dropout.cuh"
#include "spion/kernels/token_rows/cuda/emulated.h"
#include "spion/kernels/token_rows/cuda/philox.cuh"

namespace spion::cuda {
namespace {

/// What Philox gives one thread.
uint4 PhiloxOnce(const uint4& counter, const uint2& key) {
  uint4 words[1] = {counter};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] { Philox(words, key); });
  return words[0];
}

void ExpectWords(const uint4& words, const uint4& expected) {
  EXPECT_EQ(words.x, expected.x);
  EXPECT_EQ(words.y, expected.y);
  EXPECT_EQ(words.z, expected.z);
  EXPECT_EQ(words.w, expected.w);
}

TEST(PhiloxTest, GivesTheKnownAnswersOfItsAuthors) {
  constexpr uint32_t kOnes = 0xffffffff;
  ExpectWords(PhiloxOnce({0, 0, 0, 0}, {0, 0}), {0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48});
  ExpectWords(PhiloxOnce({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              {0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662});
  ExpectWords(
      PhiloxOnce({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      {0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a});
}

TEST(PhiloxTest, OfSeveralAtOnceEachIsAsAlone) {
  constexpr uint2 kKey = {0xa4093822, 0x299f31d0};
  uint4 words[3] = {{1, 2, 3, 4}, {0, 0, 7, 0}, {0xffffffff, 5, 6, 0xffffffff}};
  const uint4 alone[3] = {PhiloxOnce(words[0], kKey), PhiloxOnce(words[1], kKey),
                          PhiloxOnce(words[2], kKey)};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] { Philox(words, kKey); });
  for (int i = 0; i < 3; ++i) ExpectWords(words[i], alone[i]);
}

/// What a dropout of a half says of eight numbers: with it, a number is kept by the highest of its
/// 15 bits.
uint4 BitsOf(const RandomState& random, int64_t eight) {
  Kept kept[1];
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1},
            [&] { Dropper({.probability = 0.5F, .random = random}).Keep({eight}, kept); });
  const uint32_t(&pairs)[4] = kept[0].pairs;
  return {pairs[0], pairs[1], pairs[2], pairs[3]};
}
/// Of the words of Philox.
uint4 HalfKept(const uint4& words) {
  const auto of_word = [](uint32_t w) { return (w & 0x7fff7fffU) + 0x40004000U; };
  return {of_word(words.x), of_word(words.y), of_word(words.z), of_word(words.w)};
}

TEST(DropperTest, DrawsBySeedOffsetAndPlace) {
  constexpr uint64_t kSeed = 0x0123456789abcdef;
  constexpr uint64_t kOffset = uint64_t{0x3edcba98} << 34 | 0x40;  // of numbers: four a counter
  constexpr int64_t kEight = int64_t{3} << 32 | 7;
  const uint4 expected = HalfKept(PhiloxOnce({0x10, 0x3edcba98, 7, 3}, {0x89abcdef, 0x01234567}));
  ExpectWords(BitsOf({.seed = kSeed, .offset = kOffset}, kEight), expected);
  // As a slice of a batch.
  ExpectWords(BitsOf({.seed = kSeed, .offset = kOffset, .first_draw = kEight - 5}, 5), expected);
  // As in a recorded graph.
  const auto seed = static_cast<int64_t>(kSeed);
  const auto offset = static_cast<int64_t>(kOffset - 12);
  ExpectWords(
      BitsOf({.seed = 0, .offset = 12, .seed_on_device = &seed, .offset_on_device = &offset},
             kEight),
      expected);
}

TEST(DropperTest, LeavesWhatItDrawsFrom) {
  const auto seed = static_cast<int64_t>(0xfedcba9876543210);
  const int64_t offset = int64_t{1} << 40;
  int64_t drawn[2] = {};
  const RandomState random = {
      .offset = 12, .seed_on_device = &seed, .offset_on_device = &offset, .drawn = drawn};
  RunKernel({.grid = {3, 1, 1}, .threads = 64, .seed = 1},
            [&] { const Dropper dropper({.probability = 0.5F, .random = random}); });
  EXPECT_EQ(drawn[0], seed);
  EXPECT_EQ(drawn[1], offset + 12);
  ExpectWords(BitsOf({.seed_on_device = drawn, .offset_on_device = drawn + 1}, 7),
              BitsOf(random, 7));
}

TEST(DropperTest, DropsWhatIsBelowTheProbability) {
  float x[2] = {};
  uint32_t pair = 0;
  const auto apply = [&](float probability, uint32_t word) {
    RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
      const Dropper dropper({.probability = probability, .random = {}});
      const Kept kept = {{0, 0, dropper.Compare(word), 0}};
      x[0] = 3;
      x[1] = 5;
      dropper.ApplyScaled(kept, 2, x[0], x[1]);
      pair = kept.OfPair(2, 0xbf80'3f80);
    });
  };
  apply(0.25F, 0x2000'1fff);  // 0.25 of 32768 is 0x2000
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.75F);
  EXPECT_EQ(pair, 0xbf80'0000);
  apply(0.25F, 0x9fff'a000);  // the highest bits do not count
  EXPECT_FLOAT_EQ(x[0], 3 / 0.75F);
  EXPECT_EQ(x[1], 0);
  EXPECT_EQ(pair, 0x0000'3f80);
  apply(0.1F, 3277U << 16 | 3276U);  // 3276.8, rounded
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.9F);
  apply(0, 0);
  EXPECT_EQ(x[0], 3);
  EXPECT_EQ(x[1], 5);
  EXPECT_EQ(pair, 0xbf80'3f80);
}

}  // namespace
}  // namespace spion::cuda
