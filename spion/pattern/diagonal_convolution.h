// Diagonal convolution: brings out the diagonal shapes of an attention map (SPION-C, SPION-CF).
//
//   out[i][j] = sum over t = -h .. h of map[i + t][j + t],   h = (width - 1) / 2
//
// where entries outside the map count as zero: the cross-correlation with a width x width filter
// that is 1 on its main diagonal, with "same" padding. Source: SPION, arXiv 2309.12578.
//
//   RETURN_IF_ERROR(VisitDiagonalConvolution({values, 4096}, kDiagonalFilterWidth,
//                                            [&](absl::Span<const double> row) { ... }));
//
// Computed by running sums along the diagonals (one entry comes in, one goes out), so an entry
// costs two additions whatever the width. The sums are doubles: exact while the entries of a
// diagonal lie within 24 binary orders of magnitude of each other, otherwise with an absolute error
// of at most about 2 L 2^-53 times the largest window sum.
//
// Errors: InvalidArgument if the width is not odd and positive, or from CheckShape. An entry that
// is not finite spoils its diagonal from the first window that holds it to the end, and raises no
// error.
#ifndef SPION_PATTERN_DIAGONAL_CONVOLUTION_H_
#define SPION_PATTERN_DIAGONAL_CONVOLUTION_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "spion/pattern/map_view.h"

namespace spion {

/// The filter of the paper.
inline constexpr int kDiagonalFilterWidth = 31;

/// The result row by row, from the first to the last, with no L x L temporary. A row is valid until
/// the visitor returns.
absl::Status VisitDiagonalConvolution(MapView map, int width,
                                      absl::FunctionRef<void(absl::Span<const double> row)> visit);

}  // namespace spion

#endif  // SPION_PATTERN_DIAGONAL_CONVOLUTION_H_
