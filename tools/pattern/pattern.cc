// Draws block patterns: those that methods fix, and those that a run made.
//
//   bazel run //tools:pattern -- longformer --length=2048 [--window=1] [--png=longformer.png]
//   bazel run //tools:pattern -- --run=results/image_cf_seed1001 [--layer=0] [--png=layers.png]

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/command_line.h"
#include "spion/base/program.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/base/version.h"
#include "spion/pattern/draw.h"
#include "spion/pattern/patterns_file.h"
#include "tools/pattern/fixed_pattern.h"
#include "tools/pattern/grey_png.h"
#include "tools/pattern/picture.h"
#include "tools/pattern/run_patterns.h"
#include "tools/pattern/titled_pattern.h"

namespace spion {
namespace {

struct Options {
  std::string run;
  std::string file;
  FixedPatternOptions fixed;  // `layer` is also of a run
  int columns = 64;
  std::string png;
  std::optional<int> scale;
  bool help = false;
  bool version = false;
};

std::vector<Flag> Flags(Options& options) {
  FixedPatternOptions& fixed = options.fixed;
  return {
      {"run", "DIR", "the results folder of a run, with its patterns.json", SetText(options.run)},
      {"file", "FILE", "a patterns.json under any name", SetText(options.file)},
      {"layer", "N",
       "of a run or file: this layer only, counted from 0; bigbird: the layer whose random blocks "
       "are "
       "drawn (0)",
       SetWhole(fixed.layer)},
      {"length", "N", "fixed patterns: tokens of the sequence", SetWhole(fixed.length)},
      {"block_size", "N", "fixed patterns: tokens a block (as the method trains)",
       SetWhole(fixed.block_size)},
      {"window", "N", "longformer: blocks to each side (1, 2 from length 4096 on)",
       SetWhole(fixed.window)},
      {"global", "N", "longformer: global blocks (1)", SetWhole(fixed.global)},
      {"random", "N", "bigbird: random blocks a row (3)", SetWhole(fixed.random)},
      {"seed", "N", "bigbird: instead of --layer", SetWhole(fixed.seed)},
      {"stride", "N",
       "sparse_transformer, sparse_transformer_fixed: in blocks (square root of the length)",
       SetWhole(fixed.stride)},
      {"columns", "N",
       "characters a line, at most; a character of a larger pattern stands for several blocks (64)",
       SetWhole(options.columns)},
      {"png", "FILE",
       "write a picture too: kept black, the diagonal grey, the rest white; of several layers one "
       "each, FILE_layer0.png and so on",
       SetText(options.png)},
      {"scale", "N",
       "pixels a block is wide in the picture (as many as fit into 1024 pixels a side)",
       SetWhole(options.scale)},
      Switch("help", "this text", options.help),
      Switch("version", "which version this is", options.version)};
}

std::string Help(const std::vector<Flag>& flags) {
  return absl::StrCat(
      "Draws block patterns, as text and as PNG pictures.\n\n"
      "  bazel run //tools:pattern -- NAME --length=N [FLAG ...]\n"
      "  bazel run //tools:pattern -- --run=DIR [--layer=N] [FLAG ...]\n"
      "  bazel run //tools:pattern -- --file=FILE [--layer=N] [FLAG ...]\n\n"
      "NAME is a method with a fixed pattern:\n  ",
      FixedPatternNames(), ".\nIts pattern is the one that it trains with, unless flags say ",
      "otherwise.\n\n", FlagsHelp(flags), "\nDefaults in brackets.\n");
}

// What is to be drawn, as typed: fixed patterns' names, --run and --file.
std::vector<std::string> Sources(const Options& options, std::vector<std::string> names) {
  if (!options.run.empty()) names.push_back(absl::StrCat("--run=", options.run));
  if (!options.file.empty()) names.push_back(absl::StrCat("--file=", options.file));
  return names;
}

absl::StatusOr<std::vector<TitledPattern>> RunPatterns(const Options& options) {
  FixedPatternOptions fixed = options.fixed;
  fixed.layer.reset();
  if (const std::vector<std::string> flags = GivenFlags(fixed); !flags.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.front(), " is for fixed patterns; leave it out, a run has its own"));
  }
  const std::string path = options.run.empty()
                               ? options.file
                               : (std::filesystem::path(options.run) / kPatternsFileName).string();
  return ReadRunPatterns(path, options.fixed.layer);
}

absl::StatusOr<std::vector<TitledPattern>> Patterns(const Options& options,
                                                    const std::vector<std::string>& names) {
  const std::vector<std::string> sources = Sources(options, names);
  if (sources.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("nothing to draw: give a fixed pattern (", FixedPatternNames(),
                     "), --run=DIR or --file=FILE; --help lists the flags"));
  }
  if (sources.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("one source at a time, but there are ", absl::StrJoin(sources, " and ")));
  }
  if (names.empty()) return RunPatterns(options);
  ASSIGN_OR_RETURN(TitledPattern pattern, MakeFixedPattern(names.front(), options.fixed));
  return std::vector<TitledPattern>{std::move(pattern)};
}

// The picture's file of pattern `index` of `count`.
std::string PicturePath(const std::string& png, size_t index, size_t count) {
  if (count == 1) return png;
  const std::filesystem::path path(png);
  return path.parent_path() /
         absl::StrCat(path.stem().string(), "_layer", index, path.extension().string());
}

// Before the pictures are made, so that a mistyped folder is told at once.
absl::Status CheckPicturePath(const std::string& png) {
  const std::filesystem::path path(png);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return absl::NotFoundError(absl::StrCat("--png=", png, ": there is no folder ", folder.string(),
                                            "; make it or name another"));
  }
  if (!path.has_filename() || std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--png=", png, " is a folder; give a file's name, as in pattern.png"));
  }
  return absl::OkStatus();
}

// Returns one line for each picture. All are checked before the first is written.
absl::StatusOr<std::string> WritePictures(const std::vector<TitledPattern>& patterns,
                                          const std::string& png, std::optional<int> scale) {
  if (png.empty()) {
    if (!scale.has_value()) return "";
    return absl::InvalidArgumentError(absl::StrCat("--scale=", *scale, " goes with --png=FILE"));
  }
  RETURN_IF_ERROR(CheckPicturePath(png));
  for (const TitledPattern& titled : patterns) {
    RETURN_IF_ERROR(PictureScale(titled.pattern, scale).status());
  }
  std::string written;
  for (size_t i = 0; i < patterns.size(); ++i) {
    const std::string path = PicturePath(png, i, patterns.size());
    ASSIGN_OR_RETURN(const int pixels, PictureScale(patterns[i].pattern, scale));
    const GreyImage image = DrawPicture(patterns[i].pattern, pixels);
    RETURN_IF_ERROR(WriteGreyPng(path, image));
    absl::StrAppend(&written, "wrote ", path, ", ", image.width, " x ", image.height, " pixels\n");
  }
  return written;
}

absl::Status Run(const std::vector<std::string>& arguments) {
  Options options;
  const std::vector<Flag> flags = Flags(options);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ParseArguments(arguments, flags));
  if (options.help) {
    std::cout << Help(flags);
    return absl::OkStatus();
  }
  if (options.version) {
    std::cout << VersionText();
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(EnterUserDirectory());
  const int columns = options.columns;
  if (columns < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--columns=", columns, ": a positive number of characters was expected"));
  }
  ASSIGN_OR_RETURN(const std::vector<TitledPattern> patterns, Patterns(options, names));
  ASSIGN_OR_RETURN(const std::string written, WritePictures(patterns, options.png, options.scale));
  for (const TitledPattern& titled : patterns) {
    std::cout << Describe(titled) << "\n" << Draw(titled.pattern, columns);
  }
  std::cout << written << std::flush;
  return absl::OkStatus();
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) {
  spion::BeginProgram();
  return spion::EndProgram(spion::Run({argv + 1, argv + argc}));
}
