// SHA-256, to say in a run's manifest exactly which data it read.
//
//   Sha256 hash;
//   hash.Update(first_part);
//   hash.Update(second_part);
//   hash.HexDigest();                             // "ba7816bf..."
//
// Source: FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2.
#ifndef SPION_BASE_SHA256_H_
#define SPION_BASE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace spion {

class Sha256 {
 public:
  void Update(absl::string_view bytes);
  /// The digest of all bytes so far, as 64 lower-case hexadecimal digits. More may follow.
  std::string HexDigest() const;

 private:
  static constexpr size_t kBlockBytes = 64;

  /// Takes in `count` blocks of 64 bytes.
  void Compress(const char* blocks, size_t count);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t bytes_ = 0;
  std::array<char, kBlockBytes> pending_ = {};  // The first bytes_ % 64 are in use.
};

/// The digest of `bytes`.
std::string Sha256OfBytes(absl::string_view bytes);

}  // namespace spion

#endif  // SPION_BASE_SHA256_H_
