#include "spion/data/image.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/cifar10.h"
#include "spion/data/generated_images.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/grey_picture.h"

namespace spion {
namespace {

constexpr TaskShape kShape = {
    .sequence_length = kPicturePixels, .vocabulary = 256, .classes = kPictureClasses};

constexpr GeneratedSizes kDefaultSizes = {.train = 8000, .dev = 1000, .test = 2000};

void AddPictures(absl::Span<const GreyPicture> pictures, Split& split) {
  split.Reserve(static_cast<int64_t>(pictures.size()));
  for (const GreyPicture& picture : pictures) split.AddExample({picture.pixels}, picture.label);
}

std::string Sizes(const TaskData& data) {
  return absl::StrFormat("%d train, %d dev, %d test", data.train.examples(), data.dev.examples(),
                         data.test.examples());
}

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const Cifar10 cifar, ReadCifar10(data_dir));
  const size_t train = cifar.train.size() / 10 * 9;
  TaskData data(kShape);
  AddPictures(absl::MakeConstSpan(cifar.train).first(train), data.train);
  AddPictures(absl::MakeConstSpan(cifar.train).subspan(train), data.dev);
  AddPictures(cifar.test, data.test);
  data.source = {.name = "CIFAR-10 (binary)",
                 .generated = false,
                 .path = cifar.folder,
                 .sha256 = cifar.sha256,
                 .description = absl::StrCat("CIFAR-10 in grey from ", cifar.folder, ": ",
                                             Sizes(data), " pictures")};
  return data;
}

/// Generates one split, and takes its labels and pixels into `hash`.
void AddGenerated(uint64_t seed, int64_t count, Sha256& hash, Split& split) {
  const GreyPictures pictures = GenerateImages(seed, count);
  for (const GreyPicture& picture : pictures) {
    const char label = static_cast<char>(picture.label);
    hash.Update({&label, 1});
    hash.Update({reinterpret_cast<const char*>(picture.pixels.data()), picture.pixels.size()});
  }
  AddPictures(pictures, split);
}

absl::StatusOr<TaskData> Generate(uint64_t seed, const GeneratedSizes& asked) {
  ASSIGN_OR_RETURN(const GeneratedSizes sizes, SizesToGenerate(asked, kDefaultSizes, "pictures"));
  TaskData data(kShape);
  Sha256 hash;
  // A seed for each split, so that the splits have different pictures and a split's size leaves
  // the other two as they are.
  AddGenerated(DeriveSeed(seed, 0), sizes.train, hash, data.train);
  AddGenerated(DeriveSeed(seed, 1), sizes.dev, hash, data.dev);
  AddGenerated(DeriveSeed(seed, 2), sizes.test, hash, data.test);
  data.source = {.name = "generated",
                 .generated = true,
                 .path = "",
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("generated shapes, stripes and blobs, seed ", seed,
                                             ": ", Sizes(data), " pictures")};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadImage(const TaskOptions& options) {
  if (options.data_dir.empty()) return Generate(options.seed, options.generated_sizes);
  RETURN_IF_ERROR(CheckNoSizesForFiles(options, "pictures"));
  return LoadFiles(options.data_dir);
}

}  // namespace spion
