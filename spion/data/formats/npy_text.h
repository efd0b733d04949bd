// The strings of a NumPy .npy file as lines of text.
//
//   if (IsNpy(bytes)) ASSIGN_OR_RETURN(std::string text, NpyText(bytes));
//
// Source: NumPy's description of the .npy format, versions 1.0 to 3.0.
#ifndef SPION_DATA_FORMATS_NPY_TEXT_H_
#define SPION_DATA_FORMATS_NPY_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spion {

/// Whether the bytes begin as a .npy file does.
bool IsNpy(absl::string_view bytes);

/// One line for each row of an array of one or two dimensions, a row's strings with a space between
/// them, each line with an end. Strings are bytes (numpy's S) or little-endian unicode (U), ASCII
/// both.
/// Errors, each to be put behind the file's name: InvalidArgument for an array of another type or
/// shape, or text that is not ASCII; DataLoss for a header that cannot be read, or too few or too
/// many bytes behind it. The text is no longer than the array, but for a byte a string.
absl::StatusOr<std::string> NpyText(absl::string_view bytes);

}  // namespace spion

#endif  // SPION_DATA_FORMATS_NPY_TEXT_H_
