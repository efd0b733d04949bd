#include "spion/data/formats/write_test_archive.h"

#include <zlib.h>

#include <cstdlib>
#include <numeric>

#include "absl/strings/str_format.h"

namespace spion {

std::string TestTarMember(const std::string& name, const std::string& content, char type,
                          const std::string& prefix) {
  std::string header(512, '\0');
  const auto put = [&](size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, name);
  put(100, "0000644");
  put(124, absl::StrFormat("%011o", content.size()));
  put(148, std::string(8, ' '));
  header[156] = type;
  put(257, "ustar");
  put(263, "00");
  put(345, prefix);
  const int sum = std::accumulate(header.begin(), header.end(), 0, [](int total, char byte) {
    return total + static_cast<unsigned char>(byte);
  });
  put(148, absl::StrFormat("%06o", sum) + '\0');
  return header + content + std::string((512 - content.size() % 512) % 512, '\0');
}

std::string TestTarEnd() { return std::string(1024, '\0'); }

std::string TestGzip(const std::string& content) {
  z_stream stream = {};
  // 16 more window bits: gzip's form. As little memory as there may be: to clear it would be most
  // of the time of a fuzzer's input.
  constexpr int kMemoryLevel = 1;
  int result = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, kMemoryLevel,
                            Z_DEFAULT_STRATEGY);
  if (result != Z_OK) std::abort();
  std::string bytes(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  result = deflate(&stream, Z_FINISH);
  if (result != Z_STREAM_END) std::abort();
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

}  // namespace spion
