#include "spion/data/formats/tar.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/data/formats/gzip.h"
#include "spion/data/formats/write_test_archive.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using Contents = std::map<std::string, std::string>;

/// All files of an archive that is given in pieces of that size.
absl::StatusOr<Contents> Read(const std::string& archive, size_t piece_bytes) {
  Contents contents;
  TarReader tar([&](absl::string_view name) -> TarReader::Wanted {
    return {.content = &contents[std::string(name)], .most_bytes = 10'000};
  });
  for (size_t at = 0; at < archive.size(); at += piece_bytes) {
    const absl::Status status = tar.Take(absl::string_view(archive).substr(at, piece_bytes));
    if (!status.ok()) return status;
  }
  const absl::Status status = tar.Finish();
  if (!status.ok()) return status;
  return contents;
}

void ExpectDamage(const std::string& archive, const std::string& words) {
  for (size_t piece_bytes : {1, 100, 100'000}) {
    const absl::Status status = Read(archive, piece_bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }
}

/// What is in a compressed archive of another program.
Contents Unpack(const std::string& gzip) {
  const std::string path = testing::TempDir() + "/tar_test.tar.gz";
  std::ofstream(path, std::ios::binary) << gzip;
  std::string archive;
  EXPECT_TRUE(ReadGzipPieces(path, [&](absl::string_view piece) {
                archive.append(piece.data(), piece.size());
                return absl::OkStatus();
              }).ok());
  return Read(archive, 1000).value();
}

// tar --format=gnu -c ./pictures/a.txt pictures/b.bin pictures | gzip -9n: a.txt and b.bin are in
// it twice, as the folder comes last.
TEST(TarReaderTest, ReadsWhatGnuTarWrote) {
  const unsigned char bytes[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xd7, 0x41, 0x0a, 0xc3,
      0x20, 0x10, 0x40, 0x51, 0xd7, 0x3d, 0x85, 0x27, 0x30, 0x31, 0x51, 0x73, 0x9e, 0xa4, 0x64,
      0x91, 0x4d, 0x5a, 0x12, 0x03, 0x39, 0x7e, 0x6d, 0x17, 0x25, 0x24, 0xd0, 0x42, 0xa9, 0x42,
      0xeb, 0x7f, 0x1b, 0x07, 0x37, 0x23, 0x0c, 0x33, 0xaa, 0x2a, 0xae, 0xc3, 0xd9, 0x2f, 0x53,
      0x3f, 0x17, 0xad, 0xf2, 0xab, 0x17, 0x11, 0x94, 0x81, 0x33, 0xe6, 0xb1, 0x06, 0xfb, 0x35,
      0x30, 0x9b, 0x38, 0xec, 0xeb, 0xd2, 0xd9, 0x5a, 0xc8, 0x52, 0x24, 0xb0, 0xcc, 0xbe, 0x9d,
      0xa4, 0x14, 0x99, 0xba, 0x8c, 0xfd, 0x49, 0x20, 0x5b, 0xcf, 0xee, 0xef, 0x54, 0x37, 0x8c,
      0x71, 0x72, 0xbc, 0xe9, 0x7f, 0x5d, 0x35, 0x87, 0xfe, 0x37, 0xae, 0xa2, 0xff, 0x53, 0x58,
      0x81, 0x1f, 0xc5, 0xf4, 0xfe, 0xe2, 0xfc, 0x8f, 0x98, 0xe3, 0x3e, 0xd4, 0x1b, 0x6b, 0x5f,
      0xbc, 0xff, 0xf6, 0x71, 0x63, 0x4d, 0x78, 0xff, 0x59, 0xe6, 0x7f, 0x0e, 0xf7, 0xff, 0x31,
      0xd6, 0x75, 0xa5, 0x8d, 0x90, 0x3a, 0xc5, 0xe1, 0xa8, 0x7f, 0xe4, 0xdf, 0xdf, 0x47, 0xf5,
      0x37, 0xce, 0x86, 0xfa, 0xab, 0x04, 0x9f, 0xd3, 0xcc, 0xeb, 0x0f, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0xfe, 0xcf, 0x0d, 0xef, 0x77, 0xbc, 0x3b, 0x00, 0x28, 0x00, 0x00};
  EXPECT_THAT(
      Unpack(std::string(bytes, bytes + sizeof(bytes))),
      ElementsAre(Pair("pictures/a.txt", "one\n"), Pair("pictures/b.bin", std::string(700, 'x'))));
}

// Python's tarfile in PAX_FORMAT, with a time of half a second, which takes a pax header.
TEST(TarReaderTest, ReadsWhatPythonWroteWithAPaxHeader) {
  const unsigned char bytes[] = {
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xd3, 0xb1, 0x0a,
      0xc2, 0x30, 0x10, 0x80, 0xe1, 0x9b, 0x7d, 0x8a, 0x3e, 0x41, 0x72, 0xd1, 0xa4, 0x9b,
      0xe0, 0xe8, 0xe8, 0x2b, 0x04, 0xcd, 0xd0, 0xa1, 0x2a, 0x69, 0x0a, 0x79, 0x7c, 0x15,
      0x07, 0x41, 0xe8, 0x18, 0x41, 0xfa, 0x7f, 0xcb, 0x1d, 0xb7, 0xdc, 0xf4, 0x1b, 0x6b,
      0xec, 0xe1, 0x14, 0xeb, 0x31, 0xc5, 0x4b, 0xca, 0xd2, 0x84, 0xbe, 0x2d, 0x4d, 0x55,
      0x17, 0x3e, 0xfb, 0xeb, 0xee, 0x74, 0xeb, 0x9c, 0x74, 0x55, 0x7e, 0x60, 0x9e, 0x4a,
      0xcc, 0xcf, 0xf7, 0xb2, 0x4e, 0x6e, 0xd7, 0x8d, 0x65, 0x18, 0xd3, 0x5e, 0x4d, 0xd8,
      0x08, 0xd6, 0xe6, 0x3e, 0x9c, 0xcb, 0x9c, 0xd3, 0x64, 0xa3, 0x29, 0xb5, 0xb4, 0xeb,
      0xbf, 0xf7, 0x7e, 0xb9, 0x7f, 0xf5, 0xdf, 0xfd, 0x87, 0xd0, 0x4b, 0xa7, 0xf4, 0xdf,
      0xdc, 0xed, 0x9a, 0xc8, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x00, 0x00, 0xe0, 0x8f, 0x3d, 0x00, 0x61, 0x4e, 0xb1, 0xcf, 0x00, 0x28, 0x00, 0x00};
  EXPECT_THAT(Unpack(std::string(bytes, bytes + sizeof(bytes))),
              ElementsAre(Pair("pictures/a.txt", "one\n")));
}

TEST(TarReaderTest, ReadsFilesOfAnySizeInPiecesOfAnySize) {
  std::string archive;
  for (size_t size : {0, 1, 511, 512, 513, 5000}) {
    archive += TestTarMember(absl::StrCat("f", size), std::string(size, 'x'));
  }
  archive += TestTarEnd();
  for (size_t piece_bytes : {1, 7, 512, 513, 100'000}) {
    const Contents contents = Read(archive, piece_bytes).value();
    ASSERT_EQ(contents.size(), 6u);
    for (size_t size : {0, 1, 511, 512, 513, 5000}) {
      EXPECT_EQ(contents.at(absl::StrCat("f", size)), std::string(size, 'x'));
    }
  }
}

TEST(TarReaderTest, SkipsWhatIsNotAskedFor) {
  std::string wanted;
  TarReader tar([&](absl::string_view name) -> TarReader::Wanted {
    return {.content = name == "b" ? &wanted : nullptr, .most_bytes = 1};
  });
  ASSERT_TRUE(tar.Take(TestTarMember("a", "1") + TestTarMember("b", "2") + TestTarMember("c", "3") +
                       TestTarEnd())
                  .ok());
  EXPECT_TRUE(tar.Finish().ok());
  EXPECT_EQ(wanted, "2");
}

TEST(TarReaderTest, SkipsFoldersAndLinks) {
  EXPECT_THAT(Read(TestTarMember("d/", "", '5') + TestTarMember("link", "", '2') +
                       TestTarMember("old", "x", '\0') + TestTarEnd(),
                   512)
                  .value(),
              ElementsAre(Pair("old", "x")));
}

TEST(TarReaderTest, PutsThePrefixBeforeTheName) {
  EXPECT_THAT(Read(TestTarMember("name", "x", '0', "long/way") + TestTarEnd(), 512).value(),
              ElementsAre(Pair("long/way/name", "x")));
}

TEST(TarReaderTest, TakesTheLastOfFilesWithOneName) {
  EXPECT_THAT(
      Read(TestTarMember("a", "first") + TestTarMember("a", "2nd") + TestTarEnd(), 512).value(),
      ElementsAre(Pair("a", "2nd")));
}

TEST(TarReaderTest, IgnoresWhatComesAfterTheEnd) {
  EXPECT_THAT(Read(TestTarMember("a", "x") + TestTarEnd() + "anything", 100).value(),
              ElementsAre(Pair("a", "x")));
}

TEST(TarReaderTest, RefusesWhatIsNoTarArchive) {
  ExpectDamage(std::string(2000, 'x'), "is no tar archive");
  ExpectDamage("too short for a header", "is a truncated tar archive: it has no end mark");
  ExpectDamage("", "is a truncated tar archive: it has no end mark");
}

TEST(TarReaderTest, RefusesAFileThatIsTooLongByItsHeader) {
  const std::string header = TestTarMember("a", std::string(10'001, 'x')).substr(0, 512);
  ExpectDamage(header, "holds a, which is too long: 10001 bytes found, 10000 expected at most");
}

TEST(TarReaderTest, NamesATruncatedArchive) {
  const std::string archive = TestTarMember("a/b.bin", std::string(600, 'x'));
  ExpectDamage(archive.substr(0, 512 + 590),
               "truncated tar archive: 10 bytes of a/b.bin are missing");
  ExpectDamage(archive, "it has no end mark after a/b.bin");
  ExpectDamage(archive + TestTarEnd().substr(0, 511), "it has no end mark after a/b.bin");
}

TEST(TarReaderTest, NamesADamagedHeader) {
  std::string second = TestTarMember("b", "x");
  second[130] ^= 1;  // In its size.
  ExpectDamage(TestTarMember("a", "x") + second + TestTarEnd(),
               "is a damaged tar archive: no tar header follows a");
}

}  // namespace
}  // namespace spion
