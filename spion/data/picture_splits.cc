#include "spion/data/picture_splits.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/random.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"

namespace spion {
namespace {

absl::Status CheckSizes(const GeneratedSizes& sizes) {
  for (int64_t size : {sizes.train, sizes.dev, sizes.test}) {
    if (size < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("the number of generated pictures is ", size,
                       "; it must be positive, or 0 for ", kDefaultPictures.train, " train, ",
                       kDefaultPictures.dev, " dev, ", kDefaultPictures.test, " test"));
    }
  }
  return absl::OkStatus();
}

/// Takes the pictures' labels and pixels into `hash`.
void Hash(absl::Span<const GreyPicture> pictures, Sha256& hash) {
  for (const GreyPicture& picture : pictures) {
    const char label = static_cast<char>(picture.label);
    hash.Update({&label, 1});
    hash.Update({reinterpret_cast<const char*>(picture.pixels.data()), picture.pixels.size()});
  }
}

}  // namespace

void AddPictures(absl::Span<const GreyPicture> pictures, Split& split) {
  split.Reserve(static_cast<int64_t>(pictures.size()));
  for (const GreyPicture& picture : pictures) split.AddExample({picture.pixels}, picture.label);
}

std::string PictureCounts(const TaskData& data) {
  return absl::StrFormat("%d train, %d dev, %d test pictures", data.train.examples(),
                         data.dev.examples(), data.test.examples());
}

absl::Status AddGeneratedPictures(absl::string_view what, const TaskOptions& options,
                                  GreyPictures (*generate)(uint64_t seed, int64_t count),
                                  TaskData& data) {
  const GeneratedSizes& sizes = options.generated_sizes;
  RETURN_IF_ERROR(CheckSizes(sizes));
  Sha256 hash;
  const auto add = [&](int number, int64_t size, int64_t fallback, Split& split) {
    // A seed for each split, so that the splits have different pictures.
    const GreyPictures pictures =
        generate(DeriveSeed(options.seed, number), size > 0 ? size : fallback);
    Hash(pictures, hash);
    AddPictures(pictures, split);
  };
  add(0, sizes.train, kDefaultPictures.train, data.train);
  add(1, sizes.dev, kDefaultPictures.dev, data.dev);
  add(2, sizes.test, kDefaultPictures.test, data.test);
  data.source = {.name = "generated",
                 .generated = true,
                 .path = "",
                 .sha256 = hash.HexDigest(),
                 .description =
                     absl::StrCat(what, ", seed ", options.seed, ": ", PictureCounts(data))};
  return absl::OkStatus();
}

absl::Status CheckNoSizesForFiles(const TaskOptions& options) {
  const GeneratedSizes& sizes = options.generated_sizes;
  if (sizes.train == 0 && sizes.dev == 0 && sizes.test == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "sizes are given for generated pictures, but the pictures are to be read from ",
      options.data_dir, "; leave out one of the two"));
}

}  // namespace spion
