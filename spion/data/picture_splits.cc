#include "spion/data/picture_splits.h"

#include "absl/strings/str_cat.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/generated_sizes.h"

namespace spion {
namespace {

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

absl::Status AddGeneratedPictures(absl::string_view what, const GeneratedSizes& defaults,
                                  const TaskOptions& options,
                                  GreyPictures (*generate)(uint64_t seed, int64_t count,
                                                           const ParallelFor& parallel),
                                  TaskData& data) {
  ASSIGN_OR_RETURN(const GeneratedSizes sizes,
                   SizesToGenerate(options.generated_sizes, defaults, "pictures"));
  Sha256 hash;
  GenerateSplits(sizes, options.seed, data, [&](uint64_t seed, int64_t count, Split& split) {
    const GreyPictures pictures = generate(seed, count, options.parallel);
    Hash(pictures, hash);
    AddPictures(pictures, split);
  });
  data.source = {
      .name = "generated",
      .generated = true,
      .path = "",
      .sha256 = hash.HexDigest(),
      .description = absl::StrCat(what, ", seed ", options.seed, ": ", data.Counts(), " pictures")};
  return absl::OkStatus();
}

}  // namespace spion
