#include "tools/pattern/fixed_pattern.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "baselines/fixed_pattern/method_options.h"
#include "baselines/fixed_pattern/patterns.h"
#include "spion/base/did_you_mean.h"
#include "spion/base/status.h"

namespace spion {
namespace {

template <class T>
void Override(T& value, const std::optional<T>& given) {
  if (given.has_value()) value = *given;
}

absl::Status CheckBlocksPerSide(int64_t length, int block_size) {
  const int64_t blocks = length / block_size;
  if (blocks <= kMaxFixedBlocksPerSide) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(length, " tokens are ", blocks, " blocks of ", block_size, " a side, at most ",
                   kMaxFixedBlocksPerSide, " can be drawn; give a larger --block_size"));
}

absl::StatusOr<TitledPattern> Longformer(int64_t length, const FixedPatternOptions& given) {
  LongformerOptions options = LongformerMethodOptions(length);
  Override(options.block_size, given.block_size);
  Override(options.window, given.window);
  Override(options.global, given.global);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size));
  ASSIGN_OR_RETURN(BlockPattern pattern, LongformerPattern(length, options));
  return TitledPattern{absl::StrCat("window ", options.window, ", global ", options.global),
                       std::move(pattern)};
}

absl::StatusOr<TitledPattern> BigBird(int64_t length, const FixedPatternOptions& given) {
  if (given.seed.has_value() && given.layer.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("--seed=", *given.seed,
                                                   " and --layer=", *given.layer,
                                                   ": give one, a layer stands for its seed"));
  }
  const int layer = given.layer.value_or(0);
  if (layer < 0) {
    return absl::InvalidArgumentError(absl::StrCat("--layer=", layer, ": layers count from 0"));
  }
  BigBirdOptions options = BigBirdMethodOptions(layer);
  Override(options.block_size, given.block_size);
  Override(options.random, given.random);
  Override(options.seed, given.seed);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size));
  ASSIGN_OR_RETURN(BlockPattern pattern, BigBirdPattern(length, options));
  const std::string drawn =
      given.seed.has_value() ? absl::StrCat("seed ", options.seed) : absl::StrCat("layer ", layer);
  return TitledPattern{absl::StrCat("random ", options.random, ", ", drawn), std::move(pattern)};
}

SparseTransformerOptions SparseTransformer(int64_t length, const FixedPatternOptions& given) {
  SparseTransformerOptions options = SparseTransformerMethodOptions(
      length, given.block_size.value_or(SparseTransformerOptions().block_size));
  Override(options.stride, given.stride);
  return options;
}

absl::StatusOr<TitledPattern> Strided(int64_t length, const FixedPatternOptions& given) {
  const SparseTransformerOptions options = SparseTransformer(length, given);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size));
  ASSIGN_OR_RETURN(BlockPattern pattern, StridedPattern(length, options));
  return TitledPattern{absl::StrCat("stride ", options.stride), std::move(pattern)};
}

absl::StatusOr<TitledPattern> Fixed(int64_t length, const FixedPatternOptions& given) {
  const SparseTransformerOptions options = SparseTransformer(length, given);
  RETURN_IF_ERROR(CheckBlocksPerSide(length, options.block_size));
  ASSIGN_OR_RETURN(BlockPattern pattern, FixedPattern(length, options));
  return TitledPattern{absl::StrCat("stride ", options.stride), std::move(pattern)};
}

struct Maker {
  absl::string_view name;
  std::vector<absl::string_view> flags;  // beside --length and --block_size
  absl::StatusOr<TitledPattern> (*make)(int64_t length, const FixedPatternOptions& given);
};

const std::vector<Maker>& Makers() {
  static const auto* makers = new std::vector<Maker>{
      {"longformer", {"--window", "--global"}, Longformer},
      {"bigbird", {"--random", "--seed", "--layer"}, BigBird},
      {"sparse_transformer", {"--stride"}, Strided},
      {"sparse_transformer_fixed", {"--stride"}, Fixed},
  };
  return *makers;
}

absl::StatusOr<Maker> FindMaker(absl::string_view name) {
  for (const Maker& maker : Makers()) {
    if (maker.name == name) return maker;
  }
  std::vector<std::string> names;
  for (const Maker& maker : Makers()) names.emplace_back(maker.name);
  const std::string meant = DidYouMean(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("there is no fixed pattern \"", name, "\"; ",
                   meant.empty() ? "" : absl::StrCat("did you mean \"", meant, "\"? "),
                   "there are ", FixedPatternNames(), ", and --run=DIR shows those of a run"));
}

absl::Status CheckFlags(const Maker& maker, const FixedPatternOptions& options) {
  std::vector<absl::string_view> known = {"--length", "--block_size"};
  known.insert(known.end(), maker.flags.begin(), maker.flags.end());
  for (const std::string& flag : GivenFlags(options)) {
    const absl::string_view name = absl::string_view(flag).substr(0, flag.find('='));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(flag, " is no option of ", maker.name,
                                                     "; it has ", absl::StrJoin(known, ", ")));
    }
  }
  return absl::OkStatus();
}

// What must hold before the makers may be asked.
absl::Status CheckSizes(const FixedPatternOptions& options) {
  if (!options.length.has_value()) {
    return absl::InvalidArgumentError(
        "--length is missing: give the sequence length in tokens, as in --length=2048");
  }
  if (*options.length < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--length=", *options.length, ": a positive number of tokens was expected"));
  }
  if (options.block_size.has_value() && *options.block_size < 1) {
    return absl::InvalidArgumentError(absl::StrCat("--block_size=", *options.block_size,
                                                   ": a positive number of tokens was expected"));
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
  return absl::StrJoin(Makers(), ", ", [](std::string* out, const Maker& maker) {
    absl::StrAppend(out, maker.name);
  });
}

absl::StatusOr<TitledPattern> MakeFixedPattern(absl::string_view name,
                                               const FixedPatternOptions& options) {
  ASSIGN_OR_RETURN(const Maker maker, FindMaker(name));
  RETURN_IF_ERROR(CheckFlags(maker, options));
  RETURN_IF_ERROR(CheckSizes(options));
  absl::StatusOr<TitledPattern> made = maker.make(*options.length, options);
  if (!made.ok()) {
    return absl::Status(made.status().code(), absl::StrCat(name, ": ", made.status().message()));
  }
  made->title = absl::StrCat(name, ", ", made->title);
  return made;
}

}  // namespace spion
