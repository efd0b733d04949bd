// One labelled picture of a task on pictures, as the readers and generators hand it on.
#ifndef SPION_DATA_GREY_PICTURE_H_
#define SPION_DATA_GREY_PICTURE_H_

#include <array>
#include <cstdint>
#include <vector>

namespace spion {

inline constexpr int kPictureSide = 32;
inline constexpr int kPicturePixels = kPictureSide * kPictureSide;
/// Of the image task.
inline constexpr int kImageClasses = 10;

struct GreyPicture {
  uint8_t label;
  std::array<uint8_t, kPicturePixels> pixels;  // Row by row from the top left; 0 is black.
};
using GreyPictures = std::vector<GreyPicture>;

}  // namespace spion

#endif  // SPION_DATA_GREY_PICTURE_H_
