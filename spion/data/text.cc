#include "spion/data/text.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/parallel.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/document.h"
#include "spion/data/generated_reviews.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/imdb.h"

namespace spion {
namespace {

// As many as IMDb has, and a dev set besides.
constexpr GeneratedSizes kDefaultSizes = {.train = 25'000, .dev = 25'000, .test = 25'000};

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(Imdb imdb, ReadImdb(data_dir));
  TaskData data(DocumentShape(1));
  data.train = std::move(imdb.train);
  data.dev = imdb.test;
  data.test = std::move(imdb.test);
  data.source = {.name = "IMDb reviews",
                 .generated = false,
                 .path = imdb.folder.path.string(),
                 .sha256 = imdb.sha256,
                 .description = absl::StrFormat(
                     "IMDb from %s: %d train, %d test reviews; dev is the test set",
                     DescribeDataFolder(imdb.folder), data.train.examples(), data.test.examples()),
                 .cut_means = kCutDocument};
  return data;
}

/// Generates one split, and takes its labels and texts into `hash`.
void AddGenerated(uint64_t seed, int64_t count, const ParallelFor& parallel, Sha256& hash,
                  Split& split) {
  split.Reserve(count);
  for (const GeneratedReview& review : GenerateReviews(seed, count, parallel)) {
    hash.Update(absl::StrCat(review.label, " ", review.text, "\n"));
    split.AddExample({DocumentBytes(review.text)}, review.label);
  }
}

absl::StatusOr<TaskData> Generate(const TaskOptions& options) {
  ASSIGN_OR_RETURN(const GeneratedSizes sizes,
                   SizesToGenerate(options.generated_sizes, kDefaultSizes, "reviews"));
  TaskData data(DocumentShape(1));
  Sha256 hash;
  GenerateSplits(sizes, options.seed, data, [&](uint64_t seed, int64_t count, Split& split) {
    AddGenerated(seed, count, options.parallel, hash, split);
  });
  data.source = {.name = "generated",
                 .generated = true,
                 .path = "",
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("generated praise and blame, seed ", options.seed,
                                             ": ", data.Counts(), " reviews"),
                 .cut_means = kCutDocument};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadText(const TaskOptions& options) {
  if (options.data_dir.empty()) return Generate(options);
  RETURN_IF_ERROR(CheckNoSizesForFiles(options, "reviews"));
  return LoadFiles(options.data_dir);
}

}  // namespace spion
