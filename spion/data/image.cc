#include "spion/data/image.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/cifar10.h"
#include "spion/data/generated_images.h"
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

absl::Status CheckSizes(const GeneratedSizes& sizes) {
  for (int64_t size : {sizes.train, sizes.dev, sizes.test}) {
    if (size < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the number of generated pictures is ", size,
                       "; it must be positive, or 0 for ", kDefaultSizes.train, " train, ",
                       kDefaultSizes.dev, " dev, ", kDefaultSizes.test, " test"));
    }
  }
  return absl::OkStatus();
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

absl::StatusOr<TaskData> Generate(uint64_t seed, const GeneratedSizes& sizes) {
  RETURN_IF_ERROR(CheckSizes(sizes));
  const auto size_or = [](int64_t size, int64_t fallback) { return size > 0 ? size : fallback; };
  TaskData data(kShape);
  Sha256 hash;
  // A seed for each split, so that the splits have different pictures and a split's size leaves
  // the other two as they are.
  AddGenerated(DeriveSeed(seed, 0), size_or(sizes.train, kDefaultSizes.train), hash, data.train);
  AddGenerated(DeriveSeed(seed, 1), size_or(sizes.dev, kDefaultSizes.dev), hash, data.dev);
  AddGenerated(DeriveSeed(seed, 2), size_or(sizes.test, kDefaultSizes.test), hash, data.test);
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
  const GeneratedSizes& sizes = options.generated_sizes;
  if (options.data_dir.empty()) return Generate(options.seed, sizes);
  if (sizes.train != 0 || sizes.dev != 0 || sizes.test != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sizes are given for generated pictures, but the pictures are to be read from ",
        options.data_dir, "; leave out one of the two"));
  }
  return LoadFiles(options.data_dir);
}

}  // namespace spion
