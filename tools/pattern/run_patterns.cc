#include "tools/pattern/run_patterns.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/block_size.h"
#include "spion/pattern/patterns_file.h"

namespace spion {
absl::StatusOr<std::vector<TitledPattern>> ReadRunPatterns(const std::string& path,
                                                           std::optional<int> layer) {
  ASSIGN_OR_RETURN(PatternsFile file, ReadPatternsFile(path));
  const int count = static_cast<int>(file.layers.size());
  if (layer.has_value() && (*layer < 0 || *layer >= count)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--layer=", *layer, ": ", path, " has layers 0 to ", count - 1));
  }
  const int first = layer.value_or(0);
  const int end = layer.has_value() ? first + 1 : count;
  std::vector<TitledPattern> patterns;
  for (int l = first; l < end; ++l) {
    BlockPattern& pattern = file.layers[l];
    if (!TakesBlockSize(pattern.block_size())) {
      return absl::DataLossError(absl::StrCat(path, ": layer ", l, ": block_size is ",
                                              pattern.block_size(), ", expected ", kBlockSizes));
    }
    patterns.push_back({absl::StrCat("layer ", l), std::move(pattern)});
  }
  return patterns;
}

}  // namespace spion
