// The patterns that methods fix before training, by the methods' names.
#ifndef TOOLS_PATTERN_FIXED_PATTERN_H_
#define TOOLS_PATTERN_FIXED_PATTERN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "baselines/fixed_pattern/method_patterns.h"
#include "tools/pattern/titled_pattern.h"

namespace spion {

/// As the flags of the same names; what is not given is what the method trains with.
struct FixedPatternOptions : MethodPatternOptions {
  std::optional<int64_t> length;  // in tokens
};

/// The options that are given, as flags: "--window=1".
std::vector<std::string> GivenFlags(const FixedPatternOptions& options);

/// More blocks a side are refused: they take long to make and no picture shows them.
inline constexpr int64_t kMaxFixedBlocksPerSide = 4096;

/// The pattern of the method `name`, one of FixedPatternNames.
/// Errors: InvalidArgument for another name, no length, an option that the method has not, a value
/// out of range, a block size that does not divide the length, too many blocks.
absl::StatusOr<TitledPattern> MakeFixedPattern(absl::string_view name,
                                               const FixedPatternOptions& options);

/// "longformer, bigbird, ...".
std::string FixedPatternNames();

}  // namespace spion

#endif  // TOOLS_PATTERN_FIXED_PATTERN_H_
