// Mends the CRC of every chunk of a PNG that libFuzzer has changed: nearly none would be read on
// otherwise. One in eight is left as it is.
#include <zlib.h>

#include <cstddef>
#include <cstdint>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kAroundContent = 12;  // Length and name before it, CRC behind it.

uint32_t ReadBigEndian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

void WriteBigEndian(uint32_t number, uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>(number >> (24 - 8 * i));
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0) return size;
  size_t at = kSignatureBytes;
  while (at + kAroundContent <= size) {
    const size_t length = ReadBigEndian(data + at);
    if (length > size - at - kAroundContent) break;
    WriteBigEndian(crc32(0, data + at + 4, static_cast<uInt>(length + 4)), data + at + 8 + length);
    at += kAroundContent + length;
  }
  return size;
}
