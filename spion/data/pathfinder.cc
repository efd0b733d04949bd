#include "spion/data/pathfinder.h"

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "spion/base/random.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/generated_paths.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/grey_picture.h"
#include "spion/data/pathfinder_files.h"
#include "spion/data/picture_splits.h"

namespace spion {
namespace {

constexpr TaskShape kShape = {.sequence_length = kPicturePixels, .vocabulary = 256, .classes = 2};

// As many as are published, to a few.
constexpr GeneratedSizes kDefaultSizes = {.train = 160'000, .dev = 20'000, .test = 20'000};

// With this many each split has at least one.
constexpr int64_t kFewestPictures = 10;

// Another one would give other splits.
constexpr uint64_t kSplitSeed = 14;

/// 0 .. count - 1 in the order that decides which picture is in which split.
std::vector<int64_t> ShuffledPlaces(int64_t count) {
  std::vector<int64_t> places(count);
  std::iota(places.begin(), places.end(), int64_t{0});
  Random random(kSplitSeed);
  random.Shuffle(absl::MakeSpan(places));
  return places;
}

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const PathfinderIndex index, ReadPathfinderIndex(data_dir));
  const auto count = static_cast<int64_t>(index.entries.size());
  if (count < kFewestPictures) {
    return absl::DataLossError(absl::StrCat("the metadata in ", index.folder.path.string(),
                                            " names ", count, " pictures, at least ",
                                            kFewestPictures,
                                            " expected (80 % train, 10 % dev, 10 % test); unpack "
                                            "the whole data set"));
  }
  const int64_t train_end = count * 8 / 10;
  const int64_t dev_end = count * 9 / 10;
  const std::vector<int64_t> places = ShuffledPlaces(count);
  TaskData data(kShape);
  data.train.Reserve(train_end);
  data.dev.Reserve(dev_end - train_end);
  data.test.Reserve(count - dev_end);
  Sha256 hash = index.metadata_hash;
  GreyPicture picture;
  for (int64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(ReadPathfinderPicture(index, i, hash, picture));
    Split& split = places[i] < train_end ? data.train : places[i] < dev_end ? data.dev : data.test;
    split.AddExample({picture.pixels}, picture.label);
  }
  data.source = {.name = "Pathfinder (Long Range Arena)",
                 .generated = false,
                 .path = index.folder.path.string(),
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("Pathfinder, paths of 14 dashes, from ",
                                             DescribeDataFolder(index.folder), ": ", data.Counts(),
                                             " pictures")};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadPathfinder(const TaskOptions& options) {
  if (!options.data_dir.empty()) {
    RETURN_IF_ERROR(CheckNoSizesForFiles(options, "pictures"));
    return LoadFiles(options.data_dir);
  }
  TaskData data(kShape);
  RETURN_IF_ERROR(AddGeneratedPictures("generated dots and dashed paths", kDefaultSizes, options,
                                       GeneratePaths, data));
  return data;
}

}  // namespace spion
