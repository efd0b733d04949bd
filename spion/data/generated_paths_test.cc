#include "spion/data/generated_paths.h"

#include <array>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/base/sha256.h"

namespace spion {
namespace {

std::string Digest(const GreyPictures& pictures) {
  std::string bytes;
  for (const GreyPicture& picture : pictures) {
    bytes.push_back(static_cast<char>(picture.label));
    bytes.append(picture.pixels.begin(), picture.pixels.end());
  }
  return Sha256OfBytes(bytes);
}

// A change of these bytes changes every result on generated pictures: it must be meant.
TEST(GeneratePathsTest, GivesTheSameBytesEverywhere) {
  EXPECT_EQ(Digest(GeneratePaths(1001, 200)),
            "20db467f3d14c13a46f62d4ae110fb89d5755a6dc639971d2e57d489f946d896");
}

TEST(GeneratePathsTest, GivesEachSeedItsOwnPictures) {
  EXPECT_NE(Digest(GeneratePaths(1, 20)), Digest(GeneratePaths(2, 20)));
}

TEST(GeneratePathsTest, HasBothLabelsInEachPair) {
  const GreyPictures pictures = GeneratePaths(4, 300);
  ASSERT_EQ(pictures.size(), 300u);
  int first_is_joined = 0;
  for (int i = 0; i < 300; i += 2) {
    EXPECT_EQ(pictures[i].label + pictures[i + 1].label, 1);
    first_is_joined += pictures[i].label;
  }
  EXPECT_GT(first_is_joined, 50);
  EXPECT_LT(first_is_joined, 100);
}

TEST(GeneratePathsTest, BeginsAnySizeWithTheSamePictures) {
  const GreyPictures few = GeneratePaths(5, 7);
  const GreyPictures many = GeneratePaths(5, 20);
  ASSERT_EQ(few.size(), 7u);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].label, many[i].label);
    EXPECT_EQ(few[i].pixels, many[i].pixels);
  }
}

TEST(GeneratePathsTest, GivesNoPictureTwiceAndNoneWhenAskedForNone) {
  const GreyPictures pictures = GeneratePaths(3, 200);
  for (size_t a = 0; a < pictures.size(); ++a) {
    for (size_t b = 0; b < a; ++b) ASSERT_NE(pictures[a].pixels, pictures[b].pixels);
  }
  EXPECT_TRUE(GeneratePaths(6, 0).empty());
}

TEST(GeneratePathsTest, GivesTheSameOnAnyNumberOfThreads) {
  EXPECT_EQ(Digest(GeneratePaths(7, 101, ThreadedFor(7))), Digest(GeneratePaths(7, 101)));
}

constexpr int kTrain = 4000, kDev = 2000;

/// How many of `kDev` pictures that it was not made from `score` tells right: above `threshold`
/// means joined.
template <typename Score>
int ToldRight(const Score& score, double threshold) {
  int right = 0;
  for (const GreyPicture& picture : GeneratePaths(9, kDev)) {
    right += (score(picture) > threshold) == (picture.label == 1);
  }
  return right;
}

// Half of them, with 6 standard deviations of 22 to either side.
constexpr int kLeast = kDev / 2 - 132, kMost = kDev / 2 + 132;

// Where the grey lies, whatever it belongs to: the difference of the labels' mean pictures.
TEST(GeneratePathsTest, IsNotToldByTheMeanPictures) {
  std::array<double, kPicturePixels> difference{}, middle{};
  for (const GreyPicture& picture : GeneratePaths(8, kTrain)) {
    for (int i = 0; i < kPicturePixels; ++i) {
      const double share = picture.pixels[i] * 2.0 / kTrain;
      difference[i] += picture.label == 1 ? share : -share;
      middle[i] += share / 2;
    }
  }
  const auto score = [&](const auto& pixels) {
    double sum = 0;
    for (int i = 0; i < kPicturePixels; ++i) sum += difference[i] * pixels[i];
    return sum;
  };
  const int right = ToldRight([&](const GreyPicture& p) { return score(p.pixels); }, score(middle));
  RecordProperty("right_of_2000", right);
  EXPECT_GE(right, kLeast);
  EXPECT_LE(right, kMost);
}

TEST(GeneratePathsTest, IsNotToldByHowMuchIsDrawn) {
  const auto lit = [](const GreyPicture& picture) {
    int count = 0;
    for (uint8_t pixel : picture.pixels) count += pixel > 0;
    return count;
  };
  double mean = 0;
  for (const GreyPicture& picture : GeneratePaths(8, kTrain)) mean += lit(picture) / double{kTrain};
  const int right = ToldRight(lit, mean);
  RecordProperty("right_of_2000", right);
  EXPECT_GE(right, kLeast);
  EXPECT_LE(right, kMost);
}

}  // namespace
}  // namespace spion
