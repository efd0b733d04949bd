#include "spion/data/image.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "spion/base/status.h"
#include "spion/data/cifar10.h"
#include "spion/data/data_folder.h"
#include "spion/data/generated_images.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/grey_picture.h"
#include "spion/data/picture_splits.h"

namespace spion {
namespace {

constexpr TaskShape kShape = {
    .sequence_length = kPicturePixels, .vocabulary = 256, .classes = kImageClasses};

// As many as CIFAR-10 has.
constexpr GeneratedSizes kDefaultSizes = {.train = 45'000, .dev = 5'000, .test = 10'000};

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const Cifar10 cifar, ReadCifar10(data_dir));
  const size_t train = cifar.train.size() / 10 * 9;
  TaskData data(kShape);
  AddPictures(absl::MakeConstSpan(cifar.train).first(train), data.train);
  AddPictures(absl::MakeConstSpan(cifar.train).subspan(train), data.dev);
  AddPictures(cifar.test, data.test);
  data.source = {
      .name = "CIFAR-10 (binary)",
      .generated = false,
      .path = cifar.folder.path.string(),
      .sha256 = cifar.sha256,
      .description = absl::StrCat("CIFAR-10 in grey from ", DescribeDataFolder(cifar.folder), ": ",
                                  data.Counts(), " pictures")};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadImage(const TaskOptions& options) {
  if (!options.data_dir.empty()) {
    RETURN_IF_ERROR(CheckNoSizesForFiles(options, "pictures"));
    return LoadFiles(options.data_dir);
  }
  TaskData data(kShape);
  RETURN_IF_ERROR(AddGeneratedPictures("generated shapes, stripes and blobs", kDefaultSizes,
                                       options, GenerateImages, data));
  return data;
}

}  // namespace spion
