// The patterns that a run's transition made, from its patterns.json.
#ifndef TOOLS_PATTERN_RUN_PATTERNS_H_
#define TOOLS_PATTERN_RUN_PATTERNS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/pattern/titled_pattern.h"

namespace spion {

/// The pattern of `layer`, counted from 0, or those of all layers in order, from the file at
/// `path`. Never empty.
/// Errors, each naming the file: that it cannot be read, is not JSON, has no patterns, or not that
/// layer, or that its blocks are of a size that no attention takes.
absl::StatusOr<std::vector<TitledPattern>> ReadRunPatterns(const std::string& path,
                                                           std::optional<int> layer);

}  // namespace spion

#endif  // TOOLS_PATTERN_RUN_PATTERNS_H_
