// Decodes small grey PNG pictures.
//
//   std::array<uint8_t, 1024> pixels;
//   RETURN_IF_ERROR(DecodeGreyPng(file_content, 32, 32, absl::MakeSpan(pixels)));
//
// Over libpng, which checks every chunk's CRC. Chunks that change no pixel (texts, colour profile,
// gamma) are passed over, however large they say they are: the pixels are the numbers in the file.
// Beside them it needs 100 KB or so.
#ifndef SPION_DATA_FORMATS_PNG_H_
#define SPION_DATA_FORMATS_PNG_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

/// Writes the picture row by row to `pixels`, which must have room for width * height; 0 is black.
/// Pixels of 1, 2 or 4 bits are stretched to 0 .. 255.
/// Errors, each to be put behind the file's name; `pixels` are then of no use: DataLoss if the
/// bytes are no PNG, or a damaged one; InvalidArgument for a picture of another size, or whose
/// pixels are not grey with at most 8 bits (colour, palette, alpha, 16 bits).
absl::Status DecodeGreyPng(absl::string_view bytes, int width, int height,
                           absl::Span<uint8_t> pixels);

}  // namespace spion

#endif  // SPION_DATA_FORMATS_PNG_H_
