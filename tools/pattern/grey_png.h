// Writes grey PNG pictures.
#ifndef TOOLS_PATTERN_GREY_PNG_H_
#define TOOLS_PATTERN_GREY_PNG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace spion {

struct GreyImage {
  int width;
  int height;
  std::vector<uint8_t> pixels;  // [height, width], row by row from the top left; 0 is black
};

/// Writes the image with 8 bits a pixel. The file appears whole or not at all, and replaces one
/// that is there.
/// Errors: the operating system's, naming the file; Internal if libpng refuses the image.
absl::Status WriteGreyPng(const std::string& path, const GreyImage& image);

}  // namespace spion

#endif  // TOOLS_PATTERN_GREY_PNG_H_
