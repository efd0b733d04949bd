#include "spion/data/formats/npy_text.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

/// A .npy file as the format describes it, its header padded to a multiple of 64.
std::string Npy(const std::string& type, const std::string& shape, const std::string& data,
                int version = 1) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const size_t before = version == 1 ? 10 : 12;
  header.append(63 - (before + header.size()) % 64, ' ');
  header.push_back('\n');
  std::string file = "\x93NUMPY";
  file.push_back(static_cast<char>(version));
  file.push_back('\0');
  for (size_t i = 0; i < before - 8; ++i) {
    file.push_back(static_cast<char>(header.size() >> (8 * i) & 255));
  }
  return file + header + data;
}

/// Each string as `width` characters of `bytes` bytes, little-endian.
std::string Strings(const std::vector<std::string>& strings, size_t width, size_t bytes) {
  std::string data;
  for (const std::string& string : strings) {
    for (size_t i = 0; i < width; ++i) {
      data.push_back(i < string.size() ? string[i] : '\0');
      data.append(bytes - 1, '\0');
    }
  }
  return data;
}

void ExpectError(const std::string& file, absl::StatusCode code, const std::string& words) {
  const absl::Status status = NpyText(file).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(words));
}

TEST(NpyTextTest, KnowsTheFormatByItsFirstBytes) {
  EXPECT_TRUE(IsNpy(Npy("|S1", "1,", "x")));
  EXPECT_FALSE(IsNpy("imgs/0 sample_0.png 0 1"));
  EXPECT_FALSE(IsNpy(""));
}

TEST(NpyTextTest, GivesALineForEachRowOfStrings) {
  const std::vector<std::string> strings = {"imgs/0",  "a.png", "0", "1",
                                            "imgs/12", "b.png", "1", "0"};
  const std::string expected = "imgs/0 a.png 0 1\nimgs/12 b.png 1 0\n";
  for (int version : {1, 2}) {
    EXPECT_EQ(NpyText(Npy("<U7", "2, 4", Strings(strings, 7, 4), version)).value(), expected);
    EXPECT_EQ(NpyText(Npy("|S7", "2, 4", Strings(strings, 7, 1), version)).value(), expected);
  }
}

TEST(NpyTextTest, TakesAnArrayOfWholeLines) {
  EXPECT_EQ(NpyText(Npy("<U9", "2,", Strings({"a b 0 1", "c d 1 0"}, 9, 4))).value(),
            "a b 0 1\nc d 1 0\n");
}

TEST(NpyTextTest, RefusesOtherTypesAndShapes) {
  const auto code = absl::StatusCode::kInvalidArgument;
  ExpectError(Npy("|O", "2, 4", "pickle"), code, "is a NumPy array of type '|O', text or strings");
  ExpectError(Npy("<f8", "1,", "12345678"), code, "type '<f8'");
  ExpectError(Npy("|S0", "1,", ""), code, "type '|S0'");
  ExpectError(Npy("|S1", "", "x"), code, "shape ()");
  ExpectError(Npy("|S1", "1, 1, 1", "x"), code, "shape (1, 1, 1)");
  // A million empty rows in no bytes.
  ExpectError(Npy("|S1", "1048576, 0", ""), code, "shape (1048576, 0), one or two dimensions from");
  ExpectError(Npy("|S1", "1,", "\xe9"), code, "not ASCII (233) in row 0, column 0");
  ExpectError(Npy("|S1", "1, 2", "\x7f\x80"), code, "not ASCII (128) in row 0, column 1");
}

TEST(NpyTextTest, RefusesAFileThatIsTooShortOrTooLong) {
  const auto code = absl::StatusCode::kDataLoss;
  const std::string file = Npy("|S4", "2, 2", "aaaabbbbccccdddd");
  for (size_t kept : {6, 9, 10, 40}) ExpectError(file.substr(0, kept), code, "ends in its header");
  ExpectError(file.substr(0, file.size() - 1), code, "15 bytes of data, 16 expected");
  ExpectError(file + "x", code, "17 bytes of data, 16 expected");
}

}  // namespace
}  // namespace spion
