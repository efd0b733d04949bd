#include "spion/data/retrieval.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/parallel.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/aan.h"
#include "spion/data/data_folder.h"
#include "spion/data/document.h"
#include "spion/data/generated_pairs.h"
#include "spion/data/generated_sizes.h"

namespace spion {
namespace {

constexpr GeneratedSizes kDefaultSizes = {
    .train = kAanTrainPairs, .dev = kAanEvalPairs, .test = kAanTestPairs};

/// What the log says if the files are not the published ones; else nothing.
std::string OtherThanPublished(const TaskData& data) {
  if (data.train.examples() == kAanTrainPairs && data.dev.examples() == kAanEvalPairs &&
      data.test.examples() == kAanTestPairs) {
    return "";
  }
  return absl::StrFormat("; NOT the published set, which has %d, %d and %d", kAanTrainPairs,
                         kAanEvalPairs, kAanTestPairs);
}

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(Aan aan, ReadAan(data_dir));
  TaskData data(DocumentShape(2));
  data.train = std::move(aan.train);
  data.dev = std::move(aan.eval);
  data.test = std::move(aan.test);
  data.source = {.name = "AAN pairs",
                 .generated = false,
                 .path = aan.folder.path.string(),
                 .sha256 = aan.sha256,
                 .description = absl::StrCat("AAN from ", DescribeDataFolder(aan.folder), ": ",
                                             data.Counts(), " pairs", OtherThanPublished(data)),
                 .cut_means = kCutDocument};
  return data;
}

/// Generates one split, and takes its labels and texts into `hash`.
void AddGenerated(uint64_t seed, int64_t count, const ParallelFor& parallel, Sha256& hash,
                  Split& split) {
  split.Reserve(count);
  for (const GeneratedPair& pair : GeneratePairs(seed, count, parallel)) {
    hash.Update(absl::StrCat(pair.label, "\t", pair.text1, "\t", pair.text2, "\n"));
    split.AddExample({DocumentBytes(pair.text1), DocumentBytes(pair.text2)}, pair.label);
  }
}

absl::StatusOr<TaskData> Generate(const TaskOptions& options) {
  ASSIGN_OR_RETURN(const GeneratedSizes sizes,
                   SizesToGenerate(options.generated_sizes, kDefaultSizes, "pairs"));
  TaskData data(DocumentShape(2));
  Sha256 hash;
  GenerateSplits(sizes, options.seed, data, [&](uint64_t seed, int64_t count, Split& split) {
    AddGenerated(seed, count, options.parallel, hash, split);
  });
  data.source = {.name = "generated",
                 .generated = true,
                 .path = "",
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("generated documents of one topic or two, seed ",
                                             options.seed, ": ", data.Counts(), " pairs"),
                 .cut_means = kCutDocument};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadRetrieval(const TaskOptions& options) {
  if (options.data_dir.empty()) return Generate(options);
  RETURN_IF_ERROR(CheckNoSizesForFiles(options, "pairs"));
  return LoadFiles(options.data_dir);
}

}  // namespace spion
