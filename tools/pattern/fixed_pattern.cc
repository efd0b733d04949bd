#include "tools/pattern/fixed_pattern.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/did_you_mean.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/block_size.h"

namespace spion {
namespace {

absl::StatusOr<MethodPattern> FindPattern(absl::string_view name) {
  for (const MethodPattern& pattern : MethodPatterns()) {
    if (pattern.name == name) return pattern;
  }
  std::vector<std::string> names;
  for (const MethodPattern& pattern : MethodPatterns()) names.emplace_back(pattern.name);
  const std::string meant = DidYouMean(name, names);
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no fixed pattern \"", name, "\"; ",
      meant.empty() ? "" : absl::StrCat("did you mean \"", meant, "\"? "), "there are ",
      FixedPatternNames(), ", and --run=DIR or --file=FILE shows those of a run"));
}

absl::Status CheckFlags(const MethodPattern& pattern, const FixedPatternOptions& options) {
  std::vector<std::string> known = {"--length", "--block_size"};
  for (const absl::string_view option : pattern.options) {
    known.push_back(absl::StrCat("--", option));
  }
  for (const std::string& flag : GivenFlags(options)) {
    const absl::string_view name = absl::string_view(flag).substr(0, flag.find('='));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(flag, " is no option of ", pattern.name,
                                                     "; it has ", absl::StrJoin(known, ", ")));
    }
  }
  return absl::OkStatus();
}

// What must hold before a pattern may be asked for.
absl::Status CheckSizes(const FixedPatternOptions& options) {
  if (!options.length.has_value()) {
    return absl::InvalidArgumentError(
        "--length is missing: give the sequence length in tokens, as in --length=2048");
  }
  if (*options.length < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--length=", *options.length, ": a positive number of tokens was expected"));
  }
  if (options.block_size.has_value() && !TakesBlockSize(*options.block_size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--block_size=", *options.block_size, ": ", kBlockSizes, " was expected"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> GivenFlags(const FixedPatternOptions& options) {
  std::vector<std::string> flags;
  const auto add = [&flags](absl::string_view name, const auto& value) {
    if (value.has_value()) flags.push_back(absl::StrCat("--", name, "=", *value));
  };
  add("length", options.length);
  add("block_size", options.block_size);
  add("window", options.window);
  add("global", options.global);
  add("random", options.random);
  add("seed", options.seed);
  add("layer", options.layer);
  add("stride", options.stride);
  return flags;
}

std::string FixedPatternNames() {
  return absl::StrJoin(MethodPatterns(), ", ", [](std::string* out, const MethodPattern& pattern) {
    absl::StrAppend(out, pattern.name);
  });
}

absl::StatusOr<TitledPattern> MakeFixedPattern(absl::string_view name,
                                               const FixedPatternOptions& options) {
  ASSIGN_OR_RETURN(const MethodPattern pattern, FindPattern(name));
  RETURN_IF_ERROR(CheckFlags(pattern, options));
  RETURN_IF_ERROR(CheckSizes(options));
  MethodPatternOptions limited = options;
  limited.most_blocks_per_side = kMaxFixedBlocksPerSide;
  absl::StatusOr<MadePattern> made = pattern.make(*options.length, limited);
  if (!made.ok()) {
    return absl::Status(made.status().code(), absl::StrCat(name, ": ", made.status().message()));
  }
  return TitledPattern{absl::StrCat(name, ", ", made->settings), std::move(made->pattern)};
}

}  // namespace spion
