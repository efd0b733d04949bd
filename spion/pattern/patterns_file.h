// A patterns.json: the pattern of each layer, as a run writes it when its sparse phase begins, or
// as anybody else may.
//
//   {"layers": [PATTERN, PATTERN, ...]}
//
// Each is as pattern_json.h says; other entries are passed over.
#ifndef SPION_PATTERN_PATTERNS_FILE_H_
#define SPION_PATTERN_PATTERNS_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// What a run calls its own.
inline constexpr char kPatternsFileName[] = "patterns.json";

struct PatternsFile {
  std::string path;
  std::string sha256;                // of its bytes, in hexadecimal digits
  std::vector<BlockPattern> layers;  // never empty
};

/// Errors, each naming the file: that it cannot be read, is not JSON, has no patterns, or in which
/// layer what is wrong.
absl::StatusOr<PatternsFile> ReadPatternsFile(const std::string& path);

}  // namespace spion

#endif  // SPION_PATTERN_PATTERNS_FILE_H_
