// A BlockPattern as a grey picture.
//
//   ASSIGN_OR_RETURN(int scale, PictureScale(pattern, /*asked=*/8));
//   GreyImage image = DrawPicture(pattern, scale);  // 8 x 8 pixels a block
#ifndef TOOLS_PATTERN_PICTURE_H_
#define TOOLS_PATTERN_PICTURE_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "spion/pattern/block_pattern.h"
#include "tools/pattern/grey_png.h"

namespace spion {

/// The diagonal, which every pattern keeps, is told from what the pattern chose to keep.
inline constexpr uint8_t kPrunedGrey = 255;
inline constexpr uint8_t kDiagonalGrey = 128;
inline constexpr uint8_t kKeptGrey = 0;

/// 256 MiB of pixels.
inline constexpr int kMaxPictureSide = 16384;

/// How many pixels wide a block is to be: what is asked for, or the largest number that makes at
/// most 1024 pixels a side, at least 1.
/// Errors: InvalidArgument if less than 1 is asked for, or a side would be above kMaxPictureSide.
absl::StatusOr<int> PictureScale(const BlockPattern& pattern, std::optional<int> asked);

/// Every block a square of `scale` x `scale` pixels; `scale` must be one that PictureScale accepts.
GreyImage DrawPicture(const BlockPattern& pattern, int scale);

}  // namespace spion

#endif  // TOOLS_PATTERN_PICTURE_H_
