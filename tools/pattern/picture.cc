#include "tools/pattern/picture.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace spion {
namespace {

constexpr int kUsualSide = 1024;

}  // namespace

absl::StatusOr<int> PictureScale(const BlockPattern& pattern, std::optional<int> asked) {
  const int blocks = pattern.blocks_per_side();
  const int scale = asked.value_or(std::max(1, kUsualSide / blocks));
  if (scale < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--scale=", scale, ": a positive number of pixels was expected"));
  }
  if (int64_t{blocks} * scale > kMaxPictureSide) {
    const int largest = kMaxPictureSide / blocks;
    return absl::InvalidArgumentError(absl::StrCat(
        "--scale=", scale, ": ", blocks, " blocks a side make a picture of more than ",
        kMaxPictureSide, " pixels a side; ",
        largest > 0 ? absl::StrCat("--scale=", largest, " at most") : "leave out --png"));
  }
  return scale;
}

GreyImage DrawPicture(const BlockPattern& pattern, int scale) {
  const int side = pattern.blocks_per_side() * scale;
  GreyImage image = {side, side, std::vector<uint8_t>(size_t(side) * side, kPrunedGrey)};
  for (const Block& block : pattern.blocks()) {
    const uint8_t grey = block.row == block.column ? kDiagonalGrey : kKeptGrey;
    for (int y = 0; y < scale; ++y) {
      const size_t row = size_t(block.row) * scale + y;
      std::fill_n(&image.pixels[row * side + size_t(block.column) * scale], scale, grey);
    }
  }
  return image;
}

}  // namespace spion
