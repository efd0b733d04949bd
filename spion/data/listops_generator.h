// The generator that ListOps is defined by: to run it is to have the data set.
//
//   RETURN_IF_ERROR(GenerateListOps(
//       /*seed=*/1001, kListOpsSizes,
//       [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) { ... }));
//
// A node above depth 10 (the root's depth is 1) is a digit with probability 3/4 and else an
// operator; at depth 10 it is a digit. Digits, operators and the number of an operator's values, 2
// to 10, are uniform. Of the expressions made so, those with more than 500 and fewer than 2000
// tokens are taken, each once.
//
// The same on every machine: all chance comes from spion/base/random.h, and no floating point takes
// part.
//
// Source: Tay et al. 2021, "Long Range Arena", and the generator in its repository.
#ifndef SPION_DATA_LISTOPS_GENERATOR_H_
#define SPION_DATA_LISTOPS_GENERATOR_H_

#include <array>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "spion/data/task.h"

namespace spion {

/// The published sizes.
inline constexpr GeneratedSizes kListOpsSizes = {.train = 96000, .dev = 2000, .test = 2000};

enum class ListOpsSplit { kTrain, kDev, kTest };
inline constexpr std::array<ListOpsSplit, 3> kListOpsSplits = {
    ListOpsSplit::kTrain, ListOpsSplit::kDev, ListOpsSplit::kTest};

/// Takes an expression (listops_expression.h) of a split, and its value. `tokens` lives as long as
/// the call.
using TakeListOps = absl::FunctionRef<absl::Status(ListOpsSplit split,
                                                   absl::Span<const uint8_t> tokens, int value)>;

/// Hands `take` the expressions of train, then those of dev, then those of test; no two of all are
/// alike. A smaller split has the first expressions of a larger one, and a split's size leaves the
/// others as they are, unless two of them happen upon the same expression. A size of 0 is that of
/// kListOpsSizes.
/// Errors: InvalidArgument for a negative size; the first one that `take` gives, as it is, which
/// ends the generation.
absl::Status GenerateListOps(uint64_t seed, const GeneratedSizes& sizes, TakeListOps take);

namespace internal {

/// GenerateListOps with a seed for each split, so that a test can let splits meet.
absl::Status GenerateListOpsOfSeeds(const std::array<uint64_t, kListOpsSplits.size()>& seeds,
                                    const GeneratedSizes& sizes, TakeListOps take);

}  // namespace internal
}  // namespace spion

#endif  // SPION_DATA_LISTOPS_GENERATOR_H_
