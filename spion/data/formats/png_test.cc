#include "spion/data/formats/png.h"

#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/formats/write_test_png.h"

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

/// A chunk as PNG writes it: length, name, content, and the CRC of the last two.
std::string Chunk(const std::string& name, const std::string& content) {
  const auto big_endian = [](size_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(number >> shift));
    return bytes;
  };
  const std::string checked = name + content;
  return big_endian(content.size()) + checked +
         big_endian(crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                          static_cast<uInt>(checked.size())));
}

/// In zlib's form.
std::string Compressed(const std::string& content) {
  uLongf size = compressBound(static_cast<uLong>(content.size()));
  std::string bytes(size, '\0');
  compress(reinterpret_cast<Bytef*>(bytes.data()), &size,
           reinterpret_cast<const Bytef*>(content.data()), static_cast<uLong>(content.size()));
  return bytes.substr(0, size);
}

/// A good picture with more chunks behind its header.
std::string WithChunks(const std::string& chunks) {
  constexpr size_t kHeaderEnd = 8 + 25;
  return TestPng({.width = 32, .height = 32, .pixels = Ramp(1024)}).insert(kHeaderEnd, chunks);
}

/// The most memory that this process has asked for so far, touched or not.
int64_t PeakBytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmPeak:") {
  }
  int64_t kilobytes = 0;
  status >> kilobytes;
  return 1024 * kilobytes;
}

// Thirty of these texts made libpng take 230 MB, ten times as many ten times that.
TEST(DecodeGreyPngTest, TakesNoMemoryForTexts) {
  const std::string text =
      Chunk("zTXt", std::string("k\0\0", 3) + Compressed(std::string(7'900'000, 'x')));
  std::string texts;
  for (int i = 0; i < 30; ++i) texts += text;
  const std::string png = WithChunks(texts);
  std::vector<uint8_t> pixels(1024);
  const int64_t before = PeakBytes();
  const absl::Status status = Decode(png, pixels);
  EXPECT_LT(PeakBytes() - before, 4 << 20);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(pixels, Ramp(1024));
}

TEST(DecodeGreyPngTest, TakesNoMemoryForWhatATextSaysThatItIs) {
  // Its length, 2^31 - 2 bytes.
  const std::string png = WithChunks(std::string("\x7f\xff\xff\xfe") + "tEXt");
  const int64_t before = PeakBytes();
  ExpectError(png, absl::StatusCode::kDataLoss, "the file ends too early");
  EXPECT_LT(PeakBytes() - before, 4 << 20);
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
