// The patterns that methods of baselines/methods.bzl keep to, by the methods' names: the one list
// from which the methods and //tools:pattern make theirs.
#ifndef BASELINES_FIXED_PATTERN_METHOD_PATTERNS_H_
#define BASELINES_FIXED_PATTERN_METHOD_PATTERNS_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// What is not given is what the method trains with.
struct MethodPatternOptions {
  std::optional<int> block_size;
  std::optional<int> window;     // longformer
  std::optional<int> global;     // longformer
  std::optional<int> random;     // bigbird
  std::optional<uint64_t> seed;  // bigbird; instead of layer
  std::optional<int> layer;      // bigbird; 0 when neither is given
  std::optional<int> stride;     // sparse_transformer, sparse_transformer_fixed
  /// More are refused before they are made.
  int64_t most_blocks_per_side = std::numeric_limits<int64_t>::max();
};

struct MadePattern {
  std::string settings;  // "window 1, global 1"
  BlockPattern pattern;
};

struct MethodPattern {
  absl::string_view name;                  // the method's
  absl::string_view description;           // of the method
  std::vector<absl::string_view> options;  // beside block_size; others are ignored
  /// `length` in tokens. Errors: InvalidArgument for a value out of range, a block size that does
  /// not divide the length, too many blocks.
  absl::StatusOr<MadePattern> (*make)(int64_t length, const MethodPatternOptions& options);
};

const std::vector<MethodPattern>& MethodPatterns();

}  // namespace spion

#endif  // BASELINES_FIXED_PATTERN_METHOD_PATTERNS_H_
