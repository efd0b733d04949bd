#include "tools/method/pictures.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/status.h"
#include "spion/pattern/flood_fill.h"
#include "spion/pattern/quantile.h"
#include "tools/method/svg.h"

namespace spion {
namespace {

// Quantiles: a map is even in large parts, and differs in few.
constexpr double kWhite = 0.02;
constexpr double kBlack = 0.995;
constexpr int kShades = 16;
constexpr int kPictureSide = 384;  // pixels

constexpr char kFrame[] = "#888";
constexpr char kKept[] = "#345";
constexpr char kDiagonal[] = "#9ab";
constexpr char kChosen[] = "#d60";
constexpr char kWalk[] = "#26a";

Grid WholePicture(int blocks) {
  return {.x = 1, .y = 1, .side = static_cast<double>(kPictureSide) / blocks};
}

// From 0, nothing, to 1, black.
absl::StatusOr<std::vector<double>> Darkness(const BlockScores& scores) {
  ASSIGN_OR_RETURN(const double white, Quantile(scores.values, kWhite));
  ASSIGN_OR_RETURN(const double black, Quantile(scores.values, kBlack));
  const double range = black - white;
  std::vector<double> darkness;
  for (const double score : scores.values) {
    darkness.push_back(range > 0 ? std::clamp((score - white) / range, 0.0, 1.0) : 0.0);
  }
  return darkness;
}

// In shades of which the darkest is `darkest` of 255.
absl::StatusOr<Svg> Shaded(const BlockScores& scores, int darkest) {
  ASSIGN_OR_RETURN(const std::vector<double> darkness, Darkness(scores));
  std::vector<std::vector<Block>> of_shade(kShades + 1);
  for (int row = 0; row < scores.side; ++row) {
    for (int column = 0; column < scores.side; ++column) {
      const double dark = darkness[int64_t{row} * scores.side + column];
      of_shade[std::lround(dark * kShades)].push_back({row, column});
    }
  }
  Svg svg(kPictureSide + 2, kPictureSide + 2);
  for (int shade = 1; shade <= kShades; ++shade) {
    const int grey = 255 - (255 - darkest) * shade / kShades;
    svg.Squares(of_shade[shade], WholePicture(scores.side),
                absl::StrFormat("#%02x%02x%02x", grey, grey, grey));
  }
  svg.Frame(1, 1, kPictureSide, kPictureSide, kFrame);
  return svg;
}

// The kept blocks on the diagonal, and the others.
struct Parts {
  std::vector<Block> diagonal;
  std::vector<Block> others;
};

Parts PartsOf(const BlockPattern& pattern) {
  Parts parts;
  for (const Block& block : pattern.blocks()) {
    (block.row == block.column ? parts.diagonal : parts.others).push_back(block);
  }
  return parts;
}

int FullestRow(const BlockPattern& pattern) {
  int fullest = 0;
  for (int row = 1; row < pattern.blocks_per_side(); ++row) {
    if (pattern.columns_of_row(row).size() > pattern.columns_of_row(fullest).size()) fullest = row;
  }
  return fullest;
}

}  // namespace

absl::StatusOr<GreyImage> DrawScores(const BlockScores& scores) {
  ASSIGN_OR_RETURN(const std::vector<double> darkness, Darkness(scores));
  GreyImage image = {scores.side, scores.side, {}};
  for (const double dark : darkness) {
    image.pixels.push_back(static_cast<uint8_t>(std::lround(255 * (1 - dark))));
  }
  return image;
}

absl::StatusOr<std::string> DrawPooled(const BlockScores& scores) {
  ASSIGN_OR_RETURN(const Svg svg, Shaded(scores, /*darkest=*/0));
  return svg.Text();
}

absl::StatusOr<std::string> DrawFloodFill(const BlockScores& scores, double threshold) {
  ASSIGN_OR_RETURN(Svg svg, Shaded(scores, /*darkest=*/150));
  const Grid grid = WholePicture(scores.side);
  std::vector<std::pair<Block, Block>> moves;
  const std::vector<uint8_t> marked =
      FloodFill(scores, threshold, [&](Block from, Block to) { moves.emplace_back(from, to); });
  std::vector<Block> blocks;
  for (int row = 0; row < scores.side; ++row) {
    for (int column = 0; column < scores.side; ++column) {
      if (marked[int64_t{row} * scores.side + column] != 0) blocks.push_back({row, column});
    }
  }
  svg.Squares(blocks, grid, kChosen);
  for (const auto& [from, to] : moves) {
    if (to.row < scores.side && to.column < scores.side) svg.Move(from, to, grid, kWalk);
  }
  return svg.Text();
}

std::string DrawKept(const BlockPattern& pattern) {
  const Grid grid = WholePicture(pattern.blocks_per_side());
  const Parts parts = PartsOf(pattern);
  Svg svg(kPictureSide + 2, kPictureSide + 2);
  svg.Squares(parts.diagonal, grid, kDiagonal);
  svg.Squares(parts.others, grid, kKept);
  svg.Frame(1, 1, kPictureSide, kPictureSide, kFrame);
  return svg.Text();
}

std::string DrawSparseRow(const BlockPattern& pattern) {
  constexpr double kSide = 256;  // pixels of the scores
  constexpr double kStrip = 40;  // of the width of queries, keys, values and results
  constexpr double kGap = 24;
  const int blocks = pattern.blocks_per_side();
  const double side = kSide / blocks;
  const int row = FullestRow(pattern);
  const double left = kGap + kStrip + kGap;
  const double top = kGap + kStrip + kGap;
  const Grid scores = {.x = left, .y = top, .side = side};
  Svg svg(static_cast<int>(left + kSide + 3 * kGap + 2 * kStrip + kGap),
          static_cast<int>(top + kSide + kGap));

  const Parts parts = PartsOf(pattern);
  svg.Squares(parts.diagonal, scores, "#cde");
  svg.Squares(parts.others, scores, kDiagonal);
  const double values = left + kSide + kGap;
  const double results = values + kStrip + kGap;
  std::vector<Block> of_row;
  for (const int32_t column : pattern.columns_of_row(row)) {
    of_row.push_back({row, column});
    svg.Rectangle(left + column * side, kGap, side, kStrip, kWalk);
    svg.Rectangle(values, top + column * side, kStrip, side, kWalk);
  }
  svg.Squares(of_row, scores, kChosen);
  for (const double x : {kGap, results}) {
    svg.Rectangle(x, top + row * side, kStrip, side, kChosen);
  }
  svg.Frame(left, top, kSide, kSide, kFrame);
  svg.Frame(left, kGap, kSide, kStrip, kFrame);
  for (const double x : {kGap, values, results}) svg.Frame(x, top, kStrip, kSide, kFrame);
  const double under = top + kSide + 16;
  svg.Label(left + kSide / 2, kGap - 8, "keys");
  svg.Label(kGap + kStrip / 2, under, "queries");
  svg.Label(left + kSide / 2, under, "scores, softmax");
  svg.Label(values + kStrip / 2, under, "values");
  svg.Label(results + kStrip / 2, under, "result");
  return svg.Text();
}

}  // namespace spion
