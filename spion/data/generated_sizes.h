// How many examples a task generates when there are no files to read, and from which seeds.
//
//   ASSIGN_OR_RETURN(GeneratedSizes sizes,
//                    SizesToGenerate(options.generated_sizes, kDefaultSizes, "reviews"));
//   GenerateSplits(sizes, options.seed, data,
//                  [&](uint64_t seed, int64_t count, Split& split) { ... });
#ifndef SPION_DATA_GENERATED_SIZES_H_
#define SPION_DATA_GENERATED_SIZES_H_

#include <array>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/data/task.h"

namespace spion {

/// `asked`, with the size of `defaults` wherever it is 0. `what` the examples are, in the plural,
/// is for the error.
/// Errors: InvalidArgument for a negative size.
absl::StatusOr<GeneratedSizes> SizesToGenerate(const GeneratedSizes& asked,
                                               const GeneratedSizes& defaults,
                                               absl::string_view what);

/// Those of the train, dev and test split: each has its own, so that the splits have different
/// examples and a split's size leaves the other two as they are.
std::array<uint64_t, 3> SplitSeeds(uint64_t seed);

/// Calls `generate` for the train, dev and test split of `data`, in this order, each with its seed.
void GenerateSplits(const GeneratedSizes& sizes, uint64_t seed, TaskData& data,
                    absl::FunctionRef<void(uint64_t seed, int64_t count, Split& split)> generate);

/// InvalidArgument if the options give sizes for generated data together with a data folder.
absl::Status CheckNoSizesForFiles(const TaskOptions& options, absl::string_view what);

}  // namespace spion

#endif  // SPION_DATA_GENERATED_SIZES_H_
