#include "spion/data/generated_pairs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/base/sha256.h"
#include "spion/data/document.h"

namespace spion {
namespace {

std::string Digest(const std::vector<GeneratedPair>& pairs) {
  std::string bytes;
  for (const GeneratedPair& pair : pairs) {
    bytes += std::to_string(pair.label) + pair.text1 + "\t" + pair.text2 + "\n";
  }
  return Sha256OfBytes(bytes);
}

// A change of these bytes changes every result on generated pairs: it must be meant.
TEST(GeneratePairsTest, GivesTheSameBytesEverywhere) {
  EXPECT_EQ(Digest(GeneratePairs(1001, 200)),
            "b05dbd5aa3cd6fe30dfcd7b909e5c050d6ae7ecf5652d20c33a1d6f33f0a518c");
}

TEST(GeneratePairsTest, GivesTheSameOnAnyNumberOfThreads) {
  EXPECT_EQ(Digest(GeneratePairs(7, 101, ThreadedFor(7))), Digest(GeneratePairs(7, 101)));
}

TEST(GeneratePairsTest, GivesEachSeedItsOwnPairs) {
  EXPECT_NE(Digest(GeneratePairs(1, 20)), Digest(GeneratePairs(2, 20)));
}

TEST(GeneratePairsTest, GivesNoDocumentTwice) {
  std::set<std::string> texts;
  for (const GeneratedPair& pair : GeneratePairs(3, 1000)) {
    texts.insert(pair.text1);
    texts.insert(pair.text2);
  }
  EXPECT_EQ(texts.size(), 2000u);
}

TEST(GeneratePairsTest, HasBothLabelsInEachTwoInEitherOrder) {
  const auto pairs = GeneratePairs(4, 100);
  ASSERT_EQ(pairs.size(), 100u);
  int related_first = 0;
  for (int i = 0; i < 100; i += 2) {
    EXPECT_EQ(pairs[i].label + pairs[i + 1].label, 1);
    related_first += pairs[i].label;
  }
  EXPECT_GT(related_first, 10);
  EXPECT_LT(related_first, 40);
}

TEST(GeneratePairsTest, BeginsAnySizeWithTheSamePairs) {
  const auto few = GeneratePairs(5, 7);
  const auto many = GeneratePairs(5, 40);
  ASSERT_EQ(few.size(), 7u);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].label, many[i].label);
    EXPECT_EQ(few[i].text1, many[i].text1);
    EXPECT_EQ(few[i].text2, many[i].text2);
  }
}

TEST(GeneratePairsTest, GivesNoneWhenAskedForNone) { EXPECT_TRUE(GeneratePairs(6, 0).empty()); }

TEST(GeneratePairsTest, GivesVeryDifferentLengths) {
  int shorter_than_300 = 0, longer_than_read = 0, very_different = 0;
  for (const GeneratedPair& pair : GeneratePairs(7, 1000)) {
    const size_t shorter = std::min(pair.text1.size(), pair.text2.size());
    const size_t longer = std::max(pair.text1.size(), pair.text2.size());
    shorter_than_300 += shorter < 300;
    longer_than_read += longer > kDocumentBytes;
    very_different += longer > 4 * shorter;
  }
  EXPECT_GT(shorter_than_300, 100);
  EXPECT_GT(longer_than_read, 100);
  EXPECT_GT(very_different, 100);
}

using Shares = std::array<double, 256>;

/// Of each byte in what is read of a document.
Shares SharesOf(const std::string& text) {
  Shares shares{};
  const auto bytes = DocumentBytes(text).first(std::min(text.size(), kDocumentBytes));
  for (uint8_t byte : bytes) shares[byte] += 1.0 / bytes.size();
  return shares;
}

double Distance(const Shares& a, const Shares& b) {
  double sum = 0;
  for (int byte = 0; byte < 256; ++byte) sum += std::abs(a[byte] - b[byte]);
  return sum;
}

// What makes the task learnable: the distance of the two documents in their shares of each byte,
// against a threshold midway between the labels' means, is right far more often than one time in
// two.
TEST(GeneratePairsTest, IsToldByTheDistanceOfTheBytes) {
  constexpr int kTrain = 1000, kTest = 1000;
  std::array<double, 2> mean{};
  for (const GeneratedPair& pair : GeneratePairs(8, kTrain)) {
    mean[pair.label] += Distance(SharesOf(pair.text1), SharesOf(pair.text2)) * 2 / kTrain;
  }
  int right = 0;
  for (const GeneratedPair& pair : GeneratePairs(9, kTest)) {
    const double distance = Distance(SharesOf(pair.text1), SharesOf(pair.text2));
    right += (distance < (mean[0] + mean[1]) / 2) == (pair.label == 1);
  }
  RecordProperty("right_of_1000", right);
  EXPECT_GE(right, kTest * 80 / 100);
}

// And what makes it a task about pairs: the nearest mean of one document's shares tells nothing.
TEST(GeneratePairsTest, IsNotToldByOneDocument) {
  constexpr int kTrain = 4000, kTest = 2000;
  std::array<Shares, 2> means{};
  for (const GeneratedPair& pair : GeneratePairs(10, kTrain)) {
    const Shares shares = SharesOf(pair.text2);
    for (int byte = 0; byte < 256; ++byte) means[pair.label][byte] += shares[byte] * 2 / kTrain;
  }
  int right = 0;
  for (const GeneratedPair& pair : GeneratePairs(11, kTest)) {
    const Shares shares = SharesOf(pair.text2);
    right += (Distance(shares, means[1]) < Distance(shares, means[0])) == (pair.label == 1);
  }
  // Half, and 4.5 standard deviations of 22 to either side.
  EXPECT_GE(right, 900);
  EXPECT_LE(right, 1100);
}

}  // namespace
}  // namespace spion
