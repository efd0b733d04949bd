#include "spion/data/formats/gzip.h"

#include <cstdint>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/formats/write_test_archive.h"

namespace spion {
namespace {

using ::testing::StartsWith;

std::string Write(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/gzip_test.gz";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// What the bytes decompress to, all pieces together.
absl::StatusOr<std::string> Read(const std::string& bytes) {
  std::string all;
  const absl::Status status = ReadGzipPieces(Write(bytes), [&](absl::string_view piece) {
    EXPECT_FALSE(piece.empty());
    EXPECT_LE(piece.size(), size_t{1} << 18);
    all.append(piece.data(), piece.size());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return all;
}

void ExpectDamage(const std::string& bytes, const std::string& words) {
  const absl::Status status = Read(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith(Write(bytes) + words));
}

/// Bytes that compress little, so that input has several pieces too.
std::string Noise(size_t size) {
  std::string noise(size, '\0');
  uint32_t state = 1;
  for (char& byte : noise) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return noise;
}

// printf 'hello, hello' | gzip -n
TEST(ReadGzipPiecesTest, ReadsWhatTheGzipProgramWrote) {
  const unsigned char bytes[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
                                 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7, 0x51, 0xc8, 0x00, 0x51,
                                 0x00, 0xff, 0xc5, 0xcc, 0xf3, 0x0c, 0x00, 0x00, 0x00};
  EXPECT_EQ(Read(std::string(bytes, bytes + sizeof(bytes))).value(), "hello, hello");
}

TEST(ReadGzipPiecesTest, ReadsAnySize) {
  for (size_t size : {0, 1, 1 << 16, (1 << 16) + 1, 3'000'000}) {
    const std::string content = Noise(size);
    EXPECT_TRUE(Read(TestGzip(content)).value() == content) << size;
    EXPECT_TRUE(Read(TestGzip(std::string(size, 'x'))).value() == std::string(size, 'x')) << size;
  }
}

TEST(ReadGzipPiecesTest, ReadsMembersOneAfterTheOther) {
  EXPECT_EQ(Read(TestGzip("one ") + TestGzip("") + TestGzip("two")).value(), "one two");
}

TEST(ReadGzipPiecesTest, PassesOnTheErrorOfWhoTakesIt) {
  int pieces = 0;
  const absl::Status status =
      ReadGzipPieces(Write(TestGzip(Noise(1'000'000))), [&](absl::string_view /*piece*/) {
        ++pieces;
        return absl::AbortedError("enough");
      });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(pieces, 1);
}

TEST(ReadGzipPiecesTest, RefusesWhatIsNoGzipFile) {
  ExpectDamage("", " is empty, a gzip file was expected");
  ExpectDamage("\x1f", " is no gzip file");
  ExpectDamage("PK\x03\x04 is how zip begins", " is no gzip file");
}

TEST(ReadGzipPiecesTest, NamesATruncatedFileWhereverItEnds) {
  const std::string gzip = TestGzip("hello, hello, and more of it");
  for (size_t kept = 2; kept < gzip.size(); ++kept) {
    ExpectDamage(gzip.substr(0, kept),
                 absl::StrCat(" is a truncated gzip file: its ", kept, " bytes end before"));
  }
}

TEST(ReadGzipPiecesTest, NamesADamagedFile) {
  std::string gzip = TestGzip(Noise(1000));
  gzip[gzip.size() / 2] ^= 1;
  ExpectDamage(gzip, " is a damaged gzip file, before byte ");
  ExpectDamage(TestGzip("hello") + "trailing", " is a damaged gzip file, before byte ");
}

TEST(ReadGzipPiecesTest, PassesOnTheErrorsOfReading) {
  const auto take = [](absl::string_view /*piece*/) { return absl::OkStatus(); };
  EXPECT_EQ(ReadGzipPieces(testing::TempDir() + "/no.gz", take).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadGzipPieces(testing::TempDir(), take).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace spion
