#include "spion/data/formats/tar.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr size_t kBlockBytes = 512;

struct Field {
  size_t at, size;
};
constexpr Field kName = {0, 100};
constexpr Field kSize = {124, 12};
constexpr Field kChecksum = {148, 8};
constexpr Field kType = {156, 1};
constexpr Field kMagic = {257, 6};
constexpr Field kPrefix = {345, 155};

absl::string_view Bytes(Field field, absl::string_view header) {
  return header.substr(field.at, field.size);
}

/// The bytes up to the first zero.
absl::string_view Text(Field field, absl::string_view header) {
  const absl::string_view bytes = Bytes(field, header);
  return bytes.substr(0, bytes.find('\0'));
}

/// Reads octal digits between spaces or zeros; false if there is anything else.
bool ReadOctal(Field field, absl::string_view header, int64_t& value) {
  absl::string_view digits = Text(field, header);
  while (absl::ConsumePrefix(&digits, " ")) {
  }
  while (absl::ConsumeSuffix(&digits, " ")) {
  }
  value = 0;
  for (char digit : digits) {
    if (digit < '0' || digit > '7') return false;
    value = value * 8 + (digit - '0');
  }
  return !digits.empty();
}

/// The sum of the header's bytes, those of its checksum taken as spaces.
int64_t Checksum(absl::string_view header) {
  int64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool in_checksum = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    sum += in_checksum ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

std::string NameOf(absl::string_view header) {
  const absl::string_view name = Text(kName, header);
  // GNU's own format ("ustar  ") has other things in the prefix's place.
  const bool has_prefix = Bytes(kMagic, header) == absl::string_view("ustar\0", 6);
  const absl::string_view prefix = has_prefix ? Text(kPrefix, header) : "";
  const std::string path = prefix.empty() ? std::string(name) : absl::StrCat(prefix, "/", name);
  return std::string(absl::StripPrefix(path, "./"));
}

}  // namespace

absl::Status TarReader::TakeHeader() {
  if (std::all_of(header_.begin(), header_.end(), [](char byte) { return byte == '\0'; })) {
    ended_ = true;
    return absl::OkStatus();
  }
  int64_t checksum = 0;
  int64_t size = 0;
  if (!ReadOctal(kChecksum, header_, checksum) || checksum != Checksum(header_) ||
      !ReadOctal(kSize, header_, size)) {
    return absl::DataLossError(
        name_.empty() ? "is no tar archive: it does not begin with a tar header"
                      : absl::StrCat("is a damaged tar archive: no tar header follows ", name_));
  }
  name_ = NameOf(header_);
  const char type = Bytes(kType, header_)[0];
  const bool is_file = type == '0' || type == '\0';
  const Wanted wanted = is_file ? destination_(name_) : Wanted{};
  content_ = wanted.content;
  if (content_ != nullptr) {
    if (size > wanted.most_bytes) {
      return absl::DataLossError(absl::StrCat("holds ", name_, ", which is too long: ", size,
                                              " bytes found, ", wanted.most_bytes,
                                              " expected at most"));
    }
    content_->clear();
    content_->reserve(size);
  }
  content_left_ = size;
  const auto block = static_cast<int64_t>(kBlockBytes);
  padding_left_ = (block - size % block) % block;
  return absl::OkStatus();
}

absl::Status TarReader::Take(absl::string_view piece) {
  const auto next = [&](int64_t wanted) {
    const size_t count = std::min(piece.size(), static_cast<size_t>(wanted));
    const absl::string_view bytes = piece.substr(0, count);
    piece.remove_prefix(count);
    return bytes;
  };
  while (!piece.empty() && !ended_) {
    if (content_left_ > 0) {
      const absl::string_view content = next(content_left_);
      if (content_ != nullptr) content_->append(content.data(), content.size());
      content_left_ -= static_cast<int64_t>(content.size());
    } else if (padding_left_ > 0) {
      padding_left_ -= static_cast<int64_t>(next(padding_left_).size());
    } else {
      const absl::string_view more = next(static_cast<int64_t>(kBlockBytes - header_.size()));
      header_.append(more.data(), more.size());
      if (header_.size() < kBlockBytes) return absl::OkStatus();
      RETURN_IF_ERROR(TakeHeader());
      header_.clear();
    }
  }
  return absl::OkStatus();
}

absl::Status TarReader::Finish() const {
  if (ended_) return absl::OkStatus();
  if (content_left_ > 0) {
    return absl::DataLossError(absl::StrCat("is a truncated tar archive: ", content_left_,
                                            " bytes of ", name_, " are missing"));
  }
  return absl::DataLossError(absl::StrCat("is a truncated tar archive: it has no end mark",
                                          name_.empty() ? "" : absl::StrCat(" after ", name_)));
}

}  // namespace spion
