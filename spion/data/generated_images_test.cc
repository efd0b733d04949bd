#include "spion/data/generated_images.h"

#include <array>
#include <cstdint>
#include <numeric>
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
TEST(GenerateImagesTest, GivesTheSameBytesEverywhere) {
  EXPECT_EQ(Digest(GenerateImages(1001, 200)),
            "41dd9103f43ce8bda51c0ec15d626138f0cfc9758f3443e2ee15633c68c12278");
}

TEST(GenerateImagesTest, GivesTheSameOnAnyNumberOfThreads) {
  EXPECT_EQ(Digest(GenerateImages(7, 103, ThreadedFor(7))), Digest(GenerateImages(7, 103)));
}

TEST(GenerateImagesTest, GivesEachSeedItsOwnPictures) {
  EXPECT_NE(Digest(GenerateImages(1, 20)), Digest(GenerateImages(2, 20)));
}

TEST(GenerateImagesTest, GivesNoPictureTwice) {
  const GreyPictures pictures = GenerateImages(3, 200);
  for (size_t a = 0; a < pictures.size(); ++a) {
    for (size_t b = 0; b < a; ++b) ASSERT_NE(pictures[a].pixels, pictures[b].pixels);
  }
}

TEST(GenerateImagesTest, HasEveryClassOnceInEachTen) {
  const GreyPictures pictures = GenerateImages(4, 500);
  ASSERT_EQ(pictures.size(), 500u);
  bool shuffled = false;
  for (size_t ten = 0; ten < 50; ++ten) {
    std::array<int, kImageClasses> counts{};
    for (size_t i = 10 * ten; i < 10 * ten + 10; ++i) {
      ++counts[pictures[i].label];
      shuffled |= pictures[i].label != i % 10;
    }
    for (int count : counts) EXPECT_EQ(count, 1);
  }
  EXPECT_TRUE(shuffled);
}

TEST(GenerateImagesTest, BeginsAnySizeWithTheSamePictures) {
  const GreyPictures few = GenerateImages(5, 13);
  const GreyPictures many = GenerateImages(5, 40);
  ASSERT_EQ(few.size(), 13u);
  for (size_t i = 0; i < few.size(); ++i) {
    EXPECT_EQ(few[i].label, many[i].label);
    EXPECT_EQ(few[i].pixels, many[i].pixels);
  }
}

TEST(GenerateImagesTest, GivesNoneWhenAskedForNone) { EXPECT_TRUE(GenerateImages(6, 0).empty()); }

// What makes the task learnable but not trivial: the nearest class mean over 16 grey levels and
// 4 x 4 mean brightnesses is right far more often than one time in ten, and far from always.
TEST(GenerateImagesTest, IsPartlyToldByCoarseFeatures) {
  constexpr int kFeatures = 32;
  using Features = std::array<double, kFeatures>;
  const auto features_of = [](const GreyPicture& picture) {
    Features features{};
    for (int i = 0; i < kPicturePixels; ++i) {
      const int cell = i / kPictureSide / 8 * 4 + i % kPictureSide / 8;
      features[picture.pixels[i] / 16] += 1.0 / kPicturePixels;
      features[16 + cell] += picture.pixels[i] / 255.0 / 64;
    }
    return features;
  };
  constexpr int kTrain = 2000, kTest = 1000;
  std::array<Features, kImageClasses> means{};
  for (const GreyPicture& picture : GenerateImages(7, kTrain)) {
    const Features features = features_of(picture);
    for (int f = 0; f < kFeatures; ++f) {
      means[picture.label][f] += features[f] * kImageClasses / kTrain;
    }
  }
  int right = 0;
  for (const GreyPicture& picture : GenerateImages(8, kTest)) {
    const Features features = features_of(picture);
    int nearest = 0;
    double smallest = 1e9;
    for (int c = 0; c < kImageClasses; ++c) {
      double distance = 0;
      for (int f = 0; f < kFeatures; ++f) {
        distance += (features[f] - means[c][f]) * (features[f] - means[c][f]);
      }
      if (distance < smallest) smallest = distance, nearest = c;
    }
    right += nearest == picture.label;
  }
  EXPECT_GE(right, kTest * 40 / 100);
  EXPECT_LE(right, kTest * 60 / 100);
}

}  // namespace
}  // namespace spion
