// Writes PNG pictures through libpng, for tests of what reads them.
#ifndef SPION_DATA_FORMATS_WRITE_TEST_PNG_H_
#define SPION_DATA_FORMATS_WRITE_TEST_PNG_H_

#include <cstdint>
#include <string>
#include <vector>

namespace spion {

enum class TestPngColour { kGrey, kGreyAlpha, kPalette, kRgb, kRgbAlpha };

struct TestPicture {
  int width;
  int height;
  TestPngColour colour = TestPngColour::kGrey;
  int bits = 8;                 // A channel of a pixel, or the index into the palette.
  std::vector<uint8_t> pixels;  // As PNG packs them: rows of whole bytes, channels side by side.
  bool interlaced = false;
};

/// The content of a PNG file. A palette has three colours: black, red and white.
std::string TestPng(const TestPicture& picture);

}  // namespace spion

#endif  // SPION_DATA_FORMATS_WRITE_TEST_PNG_H_
