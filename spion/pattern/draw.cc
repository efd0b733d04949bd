#include "spion/pattern/draw.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

int CeilDiv(int a, int b) { return a / b + (a % b != 0 ? 1 : 0); }

}  // namespace

std::string Draw(const BlockPattern& pattern, int max_columns) {
  const int blocks_per_cell = CeilDiv(pattern.blocks_per_side(), std::max(max_columns, 1));
  const int cells = CeilDiv(pattern.blocks_per_side(), blocks_per_cell);
  const int text_rows = CeilDiv(cells, 2);
  // [2 * text_rows, cells]: an odd number of cell rows gets an empty one below it.
  std::vector<uint8_t> shown(int64_t{2} * text_rows * cells, 0);
  for (const Block& block : pattern.blocks()) {
    shown[int64_t{block.row / blocks_per_cell} * cells + block.column / blocks_per_cell] = 1;
  }

  constexpr const char* kGlyphs[2][2] = {{"·", "▄"}, {"▀", "█"}};  // [upper][lower]
  std::string text;
  for (int64_t text_row = 0; text_row < text_rows; ++text_row) {
    const uint8_t* upper = shown.data() + 2 * text_row * cells;
    const uint8_t* lower = upper + cells;
    for (int cell = 0; cell < cells; ++cell) {
      absl::StrAppend(&text, kGlyphs[upper[cell]][lower[cell]]);
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace spion
