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
  uint4 words = {};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] { words = Philox(counter, key); });
  return words;
}

void ExpectWords(const uint4& words, const uint4& expected) {
  EXPECT_EQ(words.x, expected.x);
  EXPECT_EQ(words.y, expected.y);
  EXPECT_EQ(words.z, expected.z);
  EXPECT_EQ(words.w, expected.w);
}

TEST(PhiloxTest, GivesTheKnownAnswersOfItsAuthors) {
  constexpr uint32_t kOnes = 0xffffffff;
  ExpectWords(PhiloxOnce({0, 0, 0, 0}, {0, 0}), {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  ExpectWords(PhiloxOnce({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  ExpectWords(
      PhiloxOnce({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

/// The bits that a dropout draws for eight numbers.
uint4 Drawn(const RandomState& random, int64_t eight) {
  uint4 bits = {};
  RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1},
            [&] { bits = Dropper({.probability = 0.5F, .random = random}).Draw(eight); });
  return bits;
}

TEST(DropperTest, DrawsBySeedOffsetAndPlace) {
  constexpr uint64_t kSeed = 0x0123456789abcdef;
  constexpr uint64_t kOffset = uint64_t{0x3edcba98} << 34 | 0x40;  // of numbers: four a counter
  constexpr int64_t kEight = int64_t{3} << 32 | 7;
  const uint4 expected = PhiloxOnce({0x10, 0x3edcba98, 7, 3}, {0x89abcdef, 0x01234567});
  ExpectWords(Drawn({.seed = kSeed, .offset = kOffset}, kEight), expected);
  // As a slice of a batch.
  ExpectWords(Drawn({.seed = kSeed, .offset = kOffset, .first_draw = kEight - 5}, 5), expected);
  // As in a recorded graph.
  const auto seed = static_cast<int64_t>(kSeed);
  const auto offset = static_cast<int64_t>(kOffset - 12);
  ExpectWords(Drawn({.seed = 0, .offset = 12, .seed_on_device = &seed, .offset_on_device = &offset},
                    kEight),
              expected);
}

TEST(DropperTest, DropsWhatIsBelowTheProbability) {
  float x[2] = {3, 5};
  const auto apply = [&](float probability, uint32_t word) {
    RunKernel({.grid = {1, 1, 1}, .threads = 1, .seed = 1}, [&] {
      x[0] = 3;
      x[1] = 5;
      Dropper({.probability = probability, .random = {}}).Apply(word, x[0], x[1]);
    });
  };
  apply(0.25F, 0x4000'3fff);  // 0.25 of 65536 is 0x4000
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.75F);
  apply(0.25F, 0x3fff'4000);
  EXPECT_FLOAT_EQ(x[0], 3 / 0.75F);
  EXPECT_EQ(x[1], 0);
  apply(0.1F, 6554U << 16 | 6553U);  // 6553.6, rounded
  EXPECT_EQ(x[0], 0);
  EXPECT_FLOAT_EQ(x[1], 5 / 0.9F);
  apply(0, 0);
  EXPECT_EQ(x[0], 3);
  EXPECT_EQ(x[1], 5);
}

}  // namespace
}  // namespace spion::cuda
