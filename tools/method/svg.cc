#include "tools/method/svg.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"

namespace spion {

Svg::Svg(int width, int height)
    : text_(absl::StrFormat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                            "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"13\" "
                            "text-anchor=\"middle\">\n",
                            width, height, width, height)) {
  Rectangle(0, 0, width, height, "#fff");
}

void Svg::Rectangle(double x, double y, double width, double height, absl::string_view fill) {
  absl::StrAppendFormat(&text_, "<path fill=\"%s\" d=\"M%g %gh%gv%gh%gz\"/>\n", fill, x, y, width,
                        height, -width);
}

void Svg::Frame(double x, double y, double width, double height, absl::string_view stroke) {
  absl::StrAppendFormat(&text_, "<path fill=\"none\" stroke=\"%s\" d=\"M%g %gh%gv%gh%gz\"/>\n",
                        stroke, x, y, width, height, -width);
}

void Svg::Squares(absl::Span<const Block> blocks, const Grid& grid, absl::string_view fill) {
  if (blocks.empty()) return;
  std::vector<Block> sorted(blocks.begin(), blocks.end());
  std::sort(sorted.begin(), sorted.end(),
            [](Block a, Block b) { return a.row != b.row ? a.row < b.row : a.column < b.column; });
  absl::StrAppendFormat(&text_, "<path fill=\"%s\" d=\"", fill);
  for (auto first = sorted.begin(); first != sorted.end();) {
    auto last = first;
    while (last + 1 != sorted.end() && (last + 1)->row == last->row &&
           (last + 1)->column == last->column + 1) {
      ++last;
    }
    const double width = (last->column - first->column + 1) * grid.side;
    absl::StrAppendFormat(&text_, "M%g %gh%gv%gh%gz", grid.x + first->column * grid.side,
                          grid.y + first->row * grid.side, width, grid.side, -width);
    first = last + 1;
  }
  text_ += "\"/>\n";
}

void Svg::Move(Block from, Block to, const Grid& grid, absl::string_view stroke) {
  absl::StrAppendFormat(&text_, "<path stroke=\"%s\" stroke-width=\"1.5\" d=\"M%g %gl%g %g\"/>\n",
                        stroke, grid.x + (from.column + 0.5) * grid.side,
                        grid.y + (from.row + 0.5) * grid.side,
                        (to.column - from.column) * grid.side, (to.row - from.row) * grid.side);
}

void Svg::Label(double x, double y, absl::string_view text) {
  absl::StrAppendFormat(&text_, "<text x=\"%g\" y=\"%g\">%s</text>\n", x, y, text);
}

}  // namespace spion
