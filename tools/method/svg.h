// A picture in SVG, as text: figures on white, each on top of those before it.
//
//   Svg svg(64, 32);
//   svg.Squares({{0, 0}, {0, 1}}, {.x = 0, .y = 0, .side = 16}, "#456");
//   std::string text = svg.Text();
#ifndef TOOLS_METHOD_SVG_H_
#define TOOLS_METHOD_SVG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/pattern/block_pattern.h"

namespace spion {

/// Where block (0, 0) has its upper left corner, and how wide a block is; pixels.
struct Grid {
  double x = 0;
  double y = 0;
  double side = 1;
};

class Svg {
 public:
  /// Pixels.
  Svg(int width, int height);

  void Rectangle(double x, double y, double width, double height, absl::string_view fill);
  /// An unfilled one.
  void Frame(double x, double y, double width, double height, absl::string_view stroke);
  /// The blocks as squares; neighbours in a row are one figure.
  void Squares(absl::Span<const Block> blocks, const Grid& grid, absl::string_view fill);
  /// A line between the middles of two blocks.
  void Move(Block from, Block to, const Grid& grid, absl::string_view stroke);
  /// In the middle of `x`, on the line `y`.
  void Label(double x, double y, absl::string_view text);

  /// The whole file.
  std::string Text() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace spion

#endif  // TOOLS_METHOD_SVG_H_
