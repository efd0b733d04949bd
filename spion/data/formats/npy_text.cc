#include "spion/data/formats/npy_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";
// Longer texts are cut in messages.
constexpr size_t kShown = 40;

/// The value of `key` in the header, a Python dictionary, up to `end`: "'key': value<end>".
absl::string_view ValueOf(absl::string_view key, absl::string_view end, absl::string_view header) {
  const std::string quoted = absl::StrCat("'", key, "':");
  const size_t at = header.find(quoted);
  if (at == absl::string_view::npos) return "";
  const absl::string_view rest = header.substr(at + quoted.size());
  const size_t stop = rest.find(end);
  if (stop == absl::string_view::npos) return "";
  return absl::StripAsciiWhitespace(rest.substr(0, stop));
}

struct Array {
  size_t rows = 0;
  size_t columns = 0;
  size_t bytes_per_character = 0;
  size_t characters = 0;  // Of each string, its zeros at the end included.
  absl::string_view data;
};

absl::Status TakeType(absl::string_view type, Array& array) {
  const bool bytes = absl::StartsWith(type, "'|S");
  const bool unicode = absl::StartsWith(type, "'<U");
  // Few enough that no product of sizes overflows.
  constexpr size_t kMostCharacters = 1 << 20;
  if ((!bytes && !unicode) ||
      !absl::SimpleAtoi(type.substr(3, type.size() - 4), &array.characters) ||
      array.characters == 0 || array.characters > kMostCharacters) {
    return absl::InvalidArgumentError(absl::StrCat("is a NumPy array of type ",
                                                   type.substr(0, kShown),
                                                   ", text or strings ('<U..', '|S..') expected"));
  }
  array.bytes_per_character = bytes ? 1 : 4;
  return absl::OkStatus();
}

/// Takes "1000, 11" or "1000,".
absl::Status TakeShape(absl::string_view shape, Array& array) {
  std::vector<size_t> sizes;
  constexpr size_t kMostRows = 1 << 20;
  bool good = true;
  for (absl::string_view part : absl::StrSplit(shape, ',', absl::SkipWhitespace())) {
    size_t size = 0;
    good = good && absl::SimpleAtoi(part, &size) && size >= 1 && size <= kMostRows;
    sizes.push_back(size);
  }
  if (!good || sizes.empty() || sizes.size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("is a NumPy array of shape (", shape.substr(0, kShown), "), one or two ",
                     "dimensions from 1 to ", kMostRows, " expected"));
  }
  array.rows = sizes[0];
  array.columns = sizes.size() == 2 ? sizes[1] : 1;
  return absl::OkStatus();
}

absl::StatusOr<Array> ReadHeader(absl::string_view bytes) {
  const absl::Status truncated = absl::DataLossError("is a NumPy file that ends in its header");
  if (bytes.size() < kMagic.size() + 4) return truncated;
  const int version = static_cast<uint8_t>(bytes[kMagic.size()]);
  // The header's length is of 2 bytes in version 1, of 4 bytes later.
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t header_at = kMagic.size() + 2 + length_bytes;
  if (bytes.size() < header_at) return truncated;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= size_t{static_cast<uint8_t>(bytes[kMagic.size() + 2 + i])} << (8 * i);
  }
  if (bytes.size() - header_at < length) return truncated;
  const absl::string_view header = bytes.substr(header_at, length);

  Array array;
  RETURN_IF_ERROR(TakeType(ValueOf("descr", ",", header), array));
  if (ValueOf("fortran_order", ",", header) != "False") {
    return absl::InvalidArgumentError(
        "is a NumPy array that is not stored row by row ('fortran_order': False expected)");
  }
  absl::string_view shape = ValueOf("shape", ")", header);
  if (!absl::ConsumePrefix(&shape, "(")) {
    return absl::DataLossError("is a NumPy file without a shape in its header");
  }
  RETURN_IF_ERROR(TakeShape(shape, array));
  array.data = bytes.substr(header_at + length);
  const size_t expected = array.rows * array.columns * array.characters * array.bytes_per_character;
  if (array.data.size() != expected) {
    return absl::DataLossError(absl::StrCat("is a NumPy array with ", array.data.size(),
                                            " bytes of data, ", expected, " expected"));
  }
  return array;
}

}  // namespace

bool IsNpy(absl::string_view bytes) { return absl::StartsWith(bytes, kMagic); }

absl::StatusOr<std::string> NpyText(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const Array array, ReadHeader(bytes));
  std::string text;
  size_t at = 0;
  for (size_t row = 0; row < array.rows; ++row) {
    for (size_t column = 0; column < array.columns; ++column) {
      if (column > 0) text.push_back(' ');
      for (size_t i = 0; i < array.characters; ++i, at += array.bytes_per_character) {
        uint32_t code = 0;
        for (size_t b = 0; b < array.bytes_per_character; ++b) {
          code |= uint32_t{static_cast<uint8_t>(array.data[at + b])} << (8 * b);
        }
        if (code >= 128) {
          return absl::InvalidArgumentError(
              absl::StrCat("is a NumPy array with a character that is not ASCII (", code,
                           ") in row ", row, ", column ", column));
        }
        if (code != 0) text.push_back(static_cast<char>(code));
      }
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace spion
