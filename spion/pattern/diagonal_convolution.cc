#include "spion/pattern/diagonal_convolution.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_format.h"
#include "spion/base/status.h"

namespace spion {

// With r = i + h and c = j + h the sum looks back only, S[r][c] = sum over t < width of
// map[r - t][c - t], and has the recurrence
//   S[r][c] = S[r - 1][c - 1] + map[r][c] - map[r - width][c - width],
// on r, c = 0 .. L + h - 1 with zeros outside the map. One slot a diagonal holds its newest sum, so
// the step from S[r - 1][c - 1] to S[r][c] is in place and vectorises along the row.
absl::Status VisitDiagonalConvolution(MapView map, int width,
                                      absl::FunctionRef<void(absl::Span<const double> row)> visit) {
  RETURN_IF_ERROR(CheckShape(map));
  if (width < 1 || width % 2 == 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("diagonal filter: width %d, expected an odd positive number such as %d",
                        width, kDiagonalFilterWidth));
  }
  const int64_t side = map.side;
  const int64_t half = std::min<int64_t>(width / 2, side - 1);  // a wider filter sees no more
  const int64_t window = 2 * half + 1;
  const int64_t reach = side + half;  // rows and columns of S

  std::vector<double> diagonals(2 * reach - 1, 0.0);  // slot reach - 1 + c - r
  for (int64_t r = 0; r < reach; ++r) {
    double* const sums = diagonals.data() + (reach - 1 - r);  // [reach], by column c
    const float* const entering = r < side ? map.row(r).data() : nullptr;
    const float* const leaving = r >= window ? map.row(r - window).data() : nullptr;
    if (entering != nullptr && leaving != nullptr) {
      const int64_t both_from = std::min(window, side);
      for (int64_t c = 0; c < both_from; ++c) sums[c] += entering[c];
      for (int64_t c = both_from; c < side; ++c) {
        sums[c] = sums[c] + entering[c] - leaving[c - window];
      }
      for (int64_t c = std::max(window, side); c < reach; ++c) sums[c] -= leaving[c - window];
    } else if (entering != nullptr) {
      for (int64_t c = 0; c < side; ++c) sums[c] += entering[c];
    } else if (leaving != nullptr) {
      for (int64_t c = window; c < reach; ++c) sums[c] -= leaving[c - window];
    }
    if (r >= half) visit(absl::MakeConstSpan(sums + half, side));
  }
  return absl::OkStatus();
}

}  // namespace spion
