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

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/pattern/draw.h"
#include "tools/pattern/fixed_pattern.h"
#include "tools/pattern/grey_png.h"
#include "tools/pattern/picture.h"
#include "tools/pattern/run_patterns.h"
#include "tools/pattern/titled_pattern.h"

ABSL_FLAG(std::string, run, "", "the results folder of a run, with its patterns.json");
ABSL_FLAG(std::string, file, "", "a patterns.json under any name");
ABSL_FLAG(std::optional<int>, layer, std::nullopt,
          "of a run: this layer only, counted from 0; bigbird: the layer whose random blocks are "
          "drawn (0)");
ABSL_FLAG(std::optional<int64_t>, length, std::nullopt, "fixed patterns: tokens of the sequence");
ABSL_FLAG(std::optional<int>, block_size, std::nullopt,
          "fixed patterns: tokens a block (as the method trains: 64 for bigbird, else 16)");
ABSL_FLAG(std::optional<int>, window, std::nullopt,
          "longformer: blocks to each side (1, 2 from length 4096 on)");
ABSL_FLAG(std::optional<int>, global, std::nullopt, "longformer: global blocks (1)");
ABSL_FLAG(std::optional<int>, random, std::nullopt, "bigbird: random blocks a row (3)");
ABSL_FLAG(std::optional<uint64_t>, seed, std::nullopt, "bigbird: instead of --layer");
ABSL_FLAG(std::optional<int>, stride, std::nullopt,
          "sparse_transformer, sparse_transformer_fixed: in blocks (square root of the length)");
ABSL_FLAG(int, columns, 64,
          "characters a line, at most; a character of a larger pattern stands for several blocks");
ABSL_FLAG(std::string, png, "",
          "write a picture too: kept black, the diagonal grey, the rest white; of several layers "
          "one each, FILE_layer0.png and so on");
ABSL_FLAG(std::optional<int>, scale, std::nullopt,
          "pixels a block is wide in the picture (as many as fit into 1024 pixels a side)");

namespace spion {
namespace {

FixedPatternOptions FixedOptions() {
  return {.length = absl::GetFlag(FLAGS_length),
          .block_size = absl::GetFlag(FLAGS_block_size),
          .window = absl::GetFlag(FLAGS_window),
          .global = absl::GetFlag(FLAGS_global),
          .random = absl::GetFlag(FLAGS_random),
          .seed = absl::GetFlag(FLAGS_seed),
          .layer = absl::GetFlag(FLAGS_layer),
          .stride = absl::GetFlag(FLAGS_stride)};
}

// What is to be drawn, as typed: fixed patterns' names, --run and --file.
std::vector<std::string> Sources(const std::vector<char*>& arguments) {
  std::vector<std::string> sources(arguments.begin() + 1, arguments.end());
  const std::string run = absl::GetFlag(FLAGS_run);
  const std::string file = absl::GetFlag(FLAGS_file);
  if (!run.empty()) sources.push_back(absl::StrCat("--run=", run));
  if (!file.empty()) sources.push_back(absl::StrCat("--file=", file));
  return sources;
}

absl::StatusOr<std::vector<TitledPattern>> RunPatterns() {
  FixedPatternOptions fixed = FixedOptions();
  fixed.layer.reset();
  if (const std::vector<std::string> flags = GivenFlags(fixed); !flags.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flags.front(), " is for fixed patterns; leave it out, a run has its own"));
  }
  const std::string run = absl::GetFlag(FLAGS_run);
  const std::string path = run.empty() ? absl::GetFlag(FLAGS_file)
                                       : (std::filesystem::path(run) / "patterns.json").string();
  return ReadRunPatterns(path, absl::GetFlag(FLAGS_layer));
}

absl::StatusOr<std::vector<TitledPattern>> Patterns(const std::vector<char*>& arguments) {
  const std::vector<std::string> sources = Sources(arguments);
  if (sources.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("nothing to draw: give a fixed pattern (", FixedPatternNames(),
                     "), --run=DIR or --file=FILE; --help lists the flags"));
  }
  if (sources.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("one source at a time, but there are ", absl::StrJoin(sources, " and ")));
  }
  if (arguments.size() == 1) return RunPatterns();
  ASSIGN_OR_RETURN(TitledPattern pattern, MakeFixedPattern(sources.front(), FixedOptions()));
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
absl::StatusOr<std::string> WritePictures(const std::vector<TitledPattern>& patterns) {
  const std::string png = absl::GetFlag(FLAGS_png);
  const std::optional<int> scale = absl::GetFlag(FLAGS_scale);
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

absl::Status Run(const std::vector<char*>& arguments) {
  RETURN_IF_ERROR(EnterUserDirectory());
  const int columns = absl::GetFlag(FLAGS_columns);
  if (columns < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--columns=", columns, ": a positive number of characters was expected"));
  }
  ASSIGN_OR_RETURN(const std::vector<TitledPattern> patterns, Patterns(arguments));
  ASSIGN_OR_RETURN(const std::string written, WritePictures(patterns));
  for (const TitledPattern& titled : patterns) {
    std::cout << Describe(titled) << "\n" << Draw(titled.pattern, columns);
  }
  std::cout << written << std::flush;
  return absl::OkStatus();
}

}  // namespace
}  // namespace spion

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Draws block patterns, as text and as PNG pictures.\n\n"
      "  bazel run //tools:pattern -- NAME --length=N [options] [--png=FILE]\n"
      "  bazel run //tools:pattern -- --run=DIR [--layer=N] [--png=FILE]\n\n"
      "NAME is a method with a fixed pattern: longformer, bigbird, sparse_transformer or\n"
      "sparse_transformer_fixed; its pattern is the one that it trains with, unless options say "
      "otherwise.");
  const absl::Status status = spion::Run(absl::ParseCommandLine(argc, argv));
  if (status.ok()) return 0;
  std::cerr << "error: " << status.message() << std::endl;
  return 1;
}
