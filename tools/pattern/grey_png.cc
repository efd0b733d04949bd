#include "tools/pattern/grey_png.h"

#include <png.h>

#include "absl/strings/str_cat.h"
#include "spion/base/file.h"

namespace spion {

absl::Status WriteGreyPng(const std::string& path, const GreyImage& image) {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = image.width;
  header.height = image.height;
  header.format = PNG_FORMAT_GRAY;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string content(bytes, '\0');
  if (png_image_write_to_memory(&header, content.data(), &bytes, /*convert_to_8_bit=*/0,
                                image.pixels.data(), /*row_stride=*/image.width,
                                /*colormap=*/nullptr) == 0) {
    return absl::InternalError(absl::StrCat("cannot make the PNG ", path, ": ", header.message));
  }
  content.resize(bytes);
  return WriteFileAtomically(path, content);
}

}  // namespace spion
