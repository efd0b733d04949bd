#include "spion/data/generated_sizes.h"

#include "absl/strings/str_cat.h"
#include "spion/base/random.h"

namespace spion {

absl::StatusOr<GeneratedSizes> SizesToGenerate(const GeneratedSizes& asked,
                                               const GeneratedSizes& defaults,
                                               absl::string_view what) {
  for (int64_t size : {asked.train, asked.dev, asked.test}) {
    if (size < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the number of generated ", what, " is ", size, "; it must be positive, or 0 for ",
          defaults.train, " train, ", defaults.dev, " dev, ", defaults.test, " test"));
    }
  }
  const auto size_or = [](int64_t size, int64_t fallback) { return size > 0 ? size : fallback; };
  return GeneratedSizes{.train = size_or(asked.train, defaults.train),
                        .dev = size_or(asked.dev, defaults.dev),
                        .test = size_or(asked.test, defaults.test)};
}

std::array<uint64_t, 3> SplitSeeds(uint64_t seed) {
  return {DeriveSeed(seed, 0), DeriveSeed(seed, 1), DeriveSeed(seed, 2)};
}

void GenerateSplits(const GeneratedSizes& sizes, uint64_t seed, TaskData& data,
                    absl::FunctionRef<void(uint64_t seed, int64_t count, Split& split)> generate) {
  const auto [of_train, of_dev, of_test] = SplitSeeds(seed);
  generate(of_train, sizes.train, data.train);
  generate(of_dev, sizes.dev, data.dev);
  generate(of_test, sizes.test, data.test);
}

absl::Status CheckNoSizesForFiles(const TaskOptions& options, absl::string_view what) {
  const GeneratedSizes& sizes = options.generated_sizes;
  if (sizes.train == 0 && sizes.dev == 0 && sizes.test == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("sizes are given for generated ", what,
                                                 ", but the ", what, " are to be read from ",
                                                 options.data_dir, "; leave out one of the two"));
}

}  // namespace spion
