// What the user may have meant by a name that there is not.
#ifndef SPION_BASE_DID_YOU_MEAN_H_
#define SPION_BASE_DID_YOU_MEAN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

/// The first of the `known` names that are nearest to `typed`, if near at all: letters left out,
/// added, changed or swapped with their neighbour, one in four at most. Else "".
std::string DidYouMean(absl::string_view typed, absl::Span<const std::string> known);

}  // namespace spion

#endif  // SPION_BASE_DID_YOU_MEAN_H_
