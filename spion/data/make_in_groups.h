// Makes many examples on several threads, the same ones on any number of them.
//
//   GreyPictures pictures = MakeInGroups<GreyPicture>(
//       /*count=*/8000, /*group_size=*/2, parallel,
//       [&](int64_t group, absl::Span<GreyPicture> two) {
//         Random random(DeriveSeed(seed, group));
//         ...
//       });
//
// A generator that makes a group of examples from a seed of its own gives every group what it would
// have alone, so that neither threads nor the number of examples matter.
#ifndef SPION_DATA_MAKE_IN_GROUPS_H_
#define SPION_DATA_MAKE_IN_GROUPS_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "spion/base/parallel.h"

namespace spion {

/// `count` examples. `make` is called once for each group, in any order and on any thread, to fill
/// its `group_size` examples; those of the last group beyond `count` are dropped.
template <typename Example>
std::vector<Example> MakeInGroups(
    int64_t count, int64_t group_size, const ParallelFor& parallel,
    absl::FunctionRef<void(int64_t group, absl::Span<Example> examples)> make) {
  const int64_t groups = (count + group_size - 1) / group_size;
  std::vector<Example> examples(groups * group_size);
  parallel(groups, [&](int64_t group) {
    make(group, absl::MakeSpan(examples).subspan(group * group_size, group_size));
  });
  examples.resize(count);
  return examples;
}

}  // namespace spion

#endif  // SPION_DATA_MAKE_IN_GROUPS_H_
