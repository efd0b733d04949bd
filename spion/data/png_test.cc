#include "spion/data/png.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/write_test_png.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A picture in which every pixel differs from its neighbours.
std::vector<uint8_t> Ramp(int pixels) {
  std::vector<uint8_t> ramp(pixels);
  for (int i = 0; i < pixels; ++i) ramp[i] = static_cast<uint8_t>(i * 37 + i / 256);
  return ramp;
}

absl::Status Decode(const std::string& png, std::vector<uint8_t>& pixels) {
  return DecodeGreyPng(png, 32, 32, absl::MakeSpan(pixels));
}

void ExpectError(const std::string& png, absl::StatusCode code, const std::string& words) {
  std::vector<uint8_t> pixels(1024);
  const absl::Status status = Decode(png, pixels);
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words));
}

TEST(DecodeGreyPngTest, GivesThePixelsThatWereWritten) {
  std::vector<uint8_t> pixels(1024);
  for (bool interlaced : {false, true}) {
    const std::string png =
        TestPng({.width = 32, .height = 32, .pixels = Ramp(1024), .interlaced = interlaced});
    const absl::Status status = Decode(png, pixels);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(pixels, Ramp(1024));
  }
}

TEST(DecodeGreyPngTest, ReadsPicturesOfAnyGivenSize) {
  std::vector<uint8_t> pixels(6);
  const absl::Status status =
      DecodeGreyPng(TestPng({.width = 3, .height = 2, .pixels = {0, 1, 2, 253, 254, 255}}), 3, 2,
                    absl::MakeSpan(pixels));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(pixels, ElementsAre(0, 1, 2, 253, 254, 255));
}

TEST(DecodeGreyPngTest, StretchesFewerBitsToTheWholeRange) {
  std::vector<uint8_t> pixels(4);
  // One row of four 2-bit pixels: 0, 1, 2, 3.
  const std::string png = TestPng({.width = 4, .height = 1, .bits = 2, .pixels = {0b00'01'10'11}});
  const absl::Status status = DecodeGreyPng(png, 4, 1, absl::MakeSpan(pixels));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(pixels, ElementsAre(0, 85, 170, 255));
}

TEST(DecodeGreyPngTest, RefusesWhatIsNoPng) {
  ExpectError("", absl::StatusCode::kDataLoss, "is empty, a PNG was expected");
  ExpectError("\x89PNG", absl::StatusCode::kDataLoss, "is no PNG");
  ExpectError(std::string(500, 'x'), absl::StatusCode::kDataLoss, "is no PNG");
}

TEST(DecodeGreyPngTest, RefusesATruncatedPngWhereverItEnds) {
  const std::string png = TestPng({.width = 32, .height = 32, .pixels = Ramp(1024)});
  for (size_t kept = 8; kept < png.size(); ++kept) {
    ExpectError(png.substr(0, kept), absl::StatusCode::kDataLoss, "is a damaged PNG: ");
  }
  ExpectError(png.substr(0, 100), absl::StatusCode::kDataLoss, "the file ends too early");
}

TEST(DecodeGreyPngTest, RefusesAChangedByteInThePixels) {
  std::string png = TestPng({.width = 32, .height = 32, .pixels = Ramp(1024)});
  png[png.size() / 2] ^= 1;
  ExpectError(png, absl::StatusCode::kDataLoss, "is a damaged PNG: ");
}

TEST(DecodeGreyPngTest, RefusesAnotherSize) {
  ExpectError(TestPng({.width = 16, .height = 32, .pixels = Ramp(512)}),
              absl::StatusCode::kInvalidArgument, "is a PNG of 16 x 32 pixels, 32 x 32 expected");
}

TEST(DecodeGreyPngTest, RefusesOtherPixelsByName) {
  const auto kind = absl::StatusCode::kInvalidArgument;
  ExpectError(
      TestPng({.width = 32, .height = 32, .colour = TestPngColour::kRgb, .pixels = Ramp(3072)}),
      kind, "is a PNG of 8-bit RGB pixels, 8-bit grey expected");
  ExpectError(
      TestPng(
          {.width = 32, .height = 32, .colour = TestPngColour::kGreyAlpha, .pixels = Ramp(2048)}),
      kind, "8-bit grey with alpha pixels");
  ExpectError(
      TestPng(
          {.width = 32, .height = 32, .colour = TestPngColour::kRgbAlpha, .pixels = Ramp(4096)}),
      kind, "8-bit RGB with alpha pixels");
  ExpectError(TestPng({.width = 32,
                       .height = 32,
                       .colour = TestPngColour::kPalette,
                       .pixels = std::vector<uint8_t>(1024, 1)}),
              kind, "8-bit palette pixels");
  ExpectError(TestPng({.width = 32, .height = 32, .bits = 16, .pixels = Ramp(2048)}), kind,
              "16-bit grey pixels");
}

}  // namespace
}  // namespace spion
