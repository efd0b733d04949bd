// Text from outside (arguments, paths, host names) is bytes, and may not be UTF-8; JSON must be.
#ifndef SPION_BASE_UTF8_H_
#define SPION_BASE_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace spion {

/// As RFC 3629: no longer form than needed, no surrogates, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text);

/// `text` with each byte that is not part of UTF-8 as %XX: "r\xE9sultats" becomes "r%E9sultats".
/// Needs no escaping in JSON.
std::string ToUtf8(absl::string_view text);

}  // namespace spion

#endif  // SPION_BASE_UTF8_H_
