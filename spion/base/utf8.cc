#include "spion/base/utf8.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace spion {
namespace {

// What follows a first byte: how many bytes, and where the first of them must lie. All further ones
// lie from 0x80 to 0xBF.
struct Form {
  uint8_t first_least, first_most;
  size_t continuation;
  uint8_t second_least, second_most;
};

constexpr Form kForms[] = {
    {0x00, 0x7F, 0, 0x00, 0x00}, {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF},
    {0xE1, 0xEC, 2, 0x80, 0xBF}, {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF}, {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F}};

bool IsWithin(char byte, uint8_t least, uint8_t most) {
  return static_cast<uint8_t>(byte) >= least && static_cast<uint8_t>(byte) <= most;
}

// Bytes of the character at the start of `text`; 0 if there is none.
size_t CharacterSize(absl::string_view text) {
  for (const Form& form : kForms) {
    if (!IsWithin(text[0], form.first_least, form.first_most)) continue;
    if (text.size() <= form.continuation) return 0;
    for (size_t i = 1; i <= form.continuation; ++i) {
      const bool is_second = i == 1;
      if (!IsWithin(text[i], is_second ? form.second_least : 0x80,
                    is_second ? form.second_most : 0xBF)) {
        return 0;
      }
    }
    return 1 + form.continuation;
  }
  return 0;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string ToUtf8(absl::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const size_t size = CharacterSize(text);
    if (size > 0) {
      absl::StrAppend(&valid, text.substr(0, size));
    } else {
      absl::StrAppendFormat(&valid, "%%%02X", static_cast<uint8_t>(text[0]));
    }
    text.remove_prefix(size > 0 ? size : 1);
  }
  return valid;
}

}  // namespace spion
