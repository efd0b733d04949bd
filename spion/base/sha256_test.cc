#include "spion/base/sha256.h"

#include <string>

#include "gtest/gtest.h"

namespace spion {
namespace {

// The examples of FIPS 180-4 (NIST's "SHA256.pdf") and of the NIST test vectors.
TEST(Sha256Test, GivesTheFipsDigests) {
  EXPECT_EQ(Sha256OfBytes("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256OfBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256OfBytes("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(Sha256OfBytes(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256OfBytes(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Digests of as many zero bytes as stand around the places where the padding changes form
// (NIST's "SHA256 additional" vectors).
TEST(Sha256Test, PadsAroundABlockEdge) {
  EXPECT_EQ(Sha256OfBytes(std::string(55, '\0')),
            "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7");
  EXPECT_EQ(Sha256OfBytes(std::string(56, '\0')),
            "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb");
  EXPECT_EQ(Sha256OfBytes(std::string(57, '\0')),
            "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785");
  EXPECT_EQ(Sha256OfBytes(std::string(64, '\0')),
            "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(Sha256Test, DoesNotDependOnHowTheBytesAreCut) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<char>(i * 7));
  for (size_t piece : {1u, 19u, 63u, 64u, 65u, 128u, 989u}) {
    Sha256 hash;
    for (size_t at = 0; at < bytes.size(); at += piece) hash.Update(bytes.substr(at, piece));
    EXPECT_EQ(hash.HexDigest(), Sha256OfBytes(bytes)) << piece;
  }
}

TEST(Sha256Test, MoreBytesMayFollowADigest) {
  Sha256 hash;
  hash.Update("ab");
  EXPECT_EQ(hash.HexDigest(), Sha256OfBytes("ab"));
  hash.Update("c");
  EXPECT_EQ(hash.HexDigest(), Sha256OfBytes("abc"));
}

}  // namespace
}  // namespace spion
