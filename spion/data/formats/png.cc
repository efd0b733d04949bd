#include "spion/data/formats/png.h"

#include <png.h>

#include <cassert>
#include <csetjmp>
#include <cstddef>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

constexpr size_t kSignatureBytes = 8;
// That libpng keeps of one chunk. None that it still reads has as many.
constexpr size_t kMostChunkBytes = size_t{1} << 16;

/// What libpng's callbacks see.
struct Source {
  const char* next;
  size_t left;
  char error[160] = "";
};

void TakeBytes(png_structp png, png_bytep to, size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->left) png_error(png, "the file ends too early");
  std::memcpy(to, source->next, count);
  source->next += count;
  source->left -= count;
}

[[noreturn]] void KeepErrorAndLeave(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->error, message, sizeof(source->error) - 1);
  png_longjmp(png, 1);
}

// Warnings are about chunks that do not change a pixel.
void IgnoreWarning(png_structp /*png*/, png_const_charp /*message*/) {}

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : source_{bytes.data(), bytes.size()} {
    png_ =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &source_, KeepErrorAndLeave, IgnoreWarning);
    if (png_ == nullptr) return;
    info_ = png_create_info_struct(png_);
    png_set_read_fn(png_, &source_, TakeBytes);
    // Else a profile that says that it has 2 GB gets them, and each of many texts its own memory.
    constexpr int kAllThatChangeNoPixel = -1;
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, kAllThatChangeNoPixel);
    png_set_chunk_cache_max(png_, 1);
    png_set_chunk_malloc_max(png_, kMostChunkBytes);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool ok() const { return png_ != nullptr && info_ != nullptr; }
  const char* error() const { return source_.error; }

  // libpng leaves these two by longjmp when it fails, so no local of theirs has a destructor.

  bool ReadInfo() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_read_info(png_, info_);
    return true;
  }

  bool ReadRows(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_expand_gray_1_2_4_to_8(png_);
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  size_t width() const { return png_get_image_width(png_, info_); }
  size_t height() const { return png_get_image_height(png_, info_); }
  int bits() const { return png_get_bit_depth(png_, info_); }
  int colour() const { return png_get_color_type(png_, info_); }

 private:
  Source source_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

const char* ColourName(int colour) {
  switch (colour) {
    case PNG_COLOR_TYPE_GRAY:
      return "grey";
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      return "grey with alpha";
    case PNG_COLOR_TYPE_PALETTE:
      return "palette";
    case PNG_COLOR_TYPE_RGB:
      return "RGB";
    default:
      return "RGB with alpha";
  }
}

absl::Status Damaged(const Reader& reader) {
  return absl::DataLossError(absl::StrCat("is a damaged PNG: ", reader.error()));
}

}  // namespace

absl::Status DecodeGreyPng(absl::string_view bytes, int width, int height,
                           absl::Span<uint8_t> pixels) {
  assert(pixels.size() == static_cast<size_t>(width) * height);
  if (bytes.empty()) return absl::DataLossError("is empty, a PNG was expected");
  if (bytes.size() < kSignatureBytes ||
      png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, kSignatureBytes) != 0) {
    return absl::DataLossError("is no PNG: it does not begin with a PNG's signature");
  }
  Reader reader(bytes);
  if (!reader.ok()) return absl::ResourceExhaustedError("cannot be decoded: no memory for libpng");
  if (!reader.ReadInfo()) return Damaged(reader);
  if (reader.width() != static_cast<size_t>(width) ||
      reader.height() != static_cast<size_t>(height)) {
    return absl::InvalidArgumentError(absl::StrCat("is a PNG of ", reader.width(), " x ",
                                                   reader.height(), " pixels, ", width, " x ",
                                                   height, " expected"));
  }
  if (reader.colour() != PNG_COLOR_TYPE_GRAY || reader.bits() > 8) {
    return absl::InvalidArgumentError(absl::StrCat("is a PNG of ", reader.bits(), "-bit ",
                                                   ColourName(reader.colour()),
                                                   " pixels, 8-bit grey expected"));
  }
  std::vector<png_bytep> rows(height);
  for (int y = 0; y < height; ++y) rows[y] = &pixels[static_cast<size_t>(y) * width];
  if (!reader.ReadRows(rows.data())) return Damaged(reader);
  return absl::OkStatus();
}

}  // namespace spion
