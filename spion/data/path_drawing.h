// Draws a pathfinder picture, white on black: dots and dashes on 32 x 32 pixels.
//
//   GreyPicture picture = DrawPathScene(MakePathScene(/*label=*/1, random));
//
// A dash is 1 pixel wide, with flat ends; a dot is a disc with a radius of 1.5 pixels, brighter
// than the dashes. A pixel is as bright as the share of it that is covered, in sixteenths.
#ifndef SPION_DATA_PATH_DRAWING_H_
#define SPION_DATA_PATH_DRAWING_H_

#include "spion/data/grey_picture.h"
#include "spion/data/path_scene.h"

namespace spion {

/// Labelled as the scene is. Bit for bit the same on every machine.
GreyPicture DrawPathScene(const PathScene& scene);

}  // namespace spion

#endif  // SPION_DATA_PATH_DRAWING_H_
