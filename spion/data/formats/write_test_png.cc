#include "spion/data/formats/write_test_png.h"

#include <png.h>

namespace spion {
namespace {

int ColourType(TestPngColour colour) {
  switch (colour) {
    case TestPngColour::kGrey:
      return PNG_COLOR_TYPE_GRAY;
    case TestPngColour::kGreyAlpha:
      return PNG_COLOR_TYPE_GRAY_ALPHA;
    case TestPngColour::kPalette:
      return PNG_COLOR_TYPE_PALETTE;
    case TestPngColour::kRgb:
      return PNG_COLOR_TYPE_RGB;
    case TestPngColour::kRgbAlpha:
      return PNG_COLOR_TYPE_RGB_ALPHA;
  }
  return -1;
}

void Append(png_structp png, png_bytep bytes, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<const char*>(bytes), count);
}

void Flush(png_structp /*png*/) {}

}  // namespace

// With no error handler of ours, libpng says what is wrong and aborts: the test fails.
std::string TestPng(const TestPicture& picture) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string content;
  png_set_write_fn(png, &content, Append, Flush);
  png_set_IHDR(png, info, picture.width, picture.height, picture.bits, ColourType(picture.colour),
               picture.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const png_color palette[] = {{0, 0, 0}, {255, 0, 0}, {255, 255, 255}};
  if (picture.colour == TestPngColour::kPalette) png_set_PLTE(png, info, palette, 3);
  png_write_info(png, info);
  std::vector<png_const_bytep> rows;
  const size_t row_bytes = png_get_rowbytes(png, info);
  for (int y = 0; y < picture.height; ++y) rows.push_back(&picture.pixels[y * row_bytes]);
  png_write_image(png, const_cast<png_bytepp>(rows.data()));
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return content;
}

}  // namespace spion
