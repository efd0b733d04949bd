#include "spion/data/formats/gzip.h"

#include <zlib.h>

#include <cstdint>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr absl::string_view kMagic = "\x1f\x8b";
constexpr size_t kPieceBytes = size_t{1} << 16;
// zlib's way to say: with gzip's header and checksum, and the largest window there is.
constexpr int kGzipWindowBits = 16 + MAX_WBITS;

using Take = absl::FunctionRef<absl::Status(absl::string_view piece)>;

struct Decompressor {
  z_stream stream = {};
  std::vector<char> output = std::vector<char>(kPieceBytes);
  int64_t bytes_read = 0;
  // At the end of a gzip member: the file may end, or another member begin.
  bool at_end = false;
};

/// Decompresses one piece of the file.
absl::Status Decompress(const std::string& path, absl::string_view piece, Take take,
                        Decompressor& decompressor) {
  z_stream& stream = decompressor.stream;
  if (decompressor.bytes_read == 0 && !absl::StartsWith(piece, kMagic)) {
    return absl::DataLossError(
        absl::StrCat(path, " is no gzip file: it does not begin with the bytes 1f 8b"));
  }
  decompressor.bytes_read += static_cast<int64_t>(piece.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream.avail_in = static_cast<uInt>(piece.size());
  do {
    if (decompressor.at_end) inflateReset(&stream);
    stream.next_out = reinterpret_cast<Bytef*>(decompressor.output.data());
    stream.avail_out = kPieceBytes;
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) return absl::ResourceExhaustedError("no memory for zlib");
    // Z_BUF_ERROR: all input is used and all output given, go on with the next piece.
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return absl::DataLossError(absl::StrCat(path, " is a damaged gzip file, before byte ",
                                              decompressor.bytes_read - stream.avail_in, ": ",
                                              stream.msg == nullptr ? "" : stream.msg));
    }
    decompressor.at_end = result == Z_STREAM_END;
    const size_t size = kPieceBytes - stream.avail_out;
    if (size > 0) RETURN_IF_ERROR(take({decompressor.output.data(), size}));
    // No room left: there may be more output though there is no more input.
  } while (stream.avail_in > 0 || (stream.avail_out == 0 && !decompressor.at_end));
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadGzipPieces(const std::string& path, Take take) {
  Decompressor decompressor;
  if (inflateInit2(&decompressor.stream, kGzipWindowBits) != Z_OK) {
    return absl::ResourceExhaustedError("no memory for zlib");
  }
  const auto end = absl::MakeCleanup([&] { inflateEnd(&decompressor.stream); });
  RETURN_IF_ERROR(ReadFilePieces(
      path, [&](absl::string_view piece) { return Decompress(path, piece, take, decompressor); }));
  if (decompressor.bytes_read == 0) {
    return absl::DataLossError(absl::StrCat(path, " is empty, a gzip file was expected"));
  }
  if (!decompressor.at_end) {
    return absl::DataLossError(absl::StrCat(path, " is a truncated gzip file: its ",
                                            decompressor.bytes_read,
                                            " bytes end before the compressed data does"));
  }
  return absl::OkStatus();
}

}  // namespace spion
