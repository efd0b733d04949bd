// The image task: name the class of a 32 x 32 grey picture that is read pixel by pixel.
//
//   ASSIGN_OR_RETURN(TaskData image, LoadImage({.data_dir = "/data"}));  // CIFAR-10
//   ASSIGN_OR_RETURN(TaskData image, LoadImage({.seed = 7}));            // generated pictures
//
// 1024 ids in 0 .. 255, row by row; ten classes; no padding, so id 0 is a black pixel. CIFAR-10
// gives 45,000 / 5,000 / 10,000 examples: dev is the last tenth of the training files. Generated
// are as many, unless the options say otherwise.
//
// Source: Tay et al. 2021, "Long Range Arena", image classification.
#ifndef SPION_DATA_IMAGE_H_
#define SPION_DATA_IMAGE_H_

#include "absl/status/statusor.h"
#include "spion/data/task.h"

namespace spion {

/// Errors: those of ReadCifar10 (cifar10.h) where a data folder is given; InvalidArgument for a
/// negative size, or for sizes together with a data folder.
absl::StatusOr<TaskData> LoadImage(const TaskOptions& options);

}  // namespace spion

#endif  // SPION_DATA_IMAGE_H_
