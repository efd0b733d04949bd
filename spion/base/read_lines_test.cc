#include "spion/base/read_lines.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMostBytes = int64_t{4} << 20;

std::string Write(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/read_lines";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::vector<std::string> Lines(const std::string& bytes) {
  std::vector<std::string> lines;
  Sha256 hash;
  const absl::Status status =
      ReadLines(Write(bytes), kMostBytes, hash, [&](int64_t number, absl::string_view line) {
        lines.emplace_back(line);
        EXPECT_EQ(number, static_cast<int64_t>(lines.size()));
        return absl::OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(hash.HexDigest(), Sha256OfBytes(bytes));
  return lines;
}

TEST(ReadLinesTest, TakesEveryKindOfLineEnd) {
  EXPECT_THAT(Lines(""), IsEmpty());
  EXPECT_THAT(Lines("a"), ElementsAre("a"));
  EXPECT_THAT(Lines("a\nb\n"), ElementsAre("a", "b"));
  EXPECT_THAT(Lines("a\r\n\r\nb\r\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(Lines("\n\na\r"), ElementsAre("", "", "a"));
  EXPECT_THAT(Lines("a\rb\r\r\n"), ElementsAre("a\rb\r"));
}

TEST(ReadLinesTest, PutsLinesTogetherThatSpanThePartsOfAFile) {
  std::string bytes;
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back(std::string(i * 7'001, static_cast<char>('a' + i % 26)));
    absl::StrAppend(&bytes, expected.back(), i % 2 == 0 ? "\n" : "\r\n");
  }
  // A line longer than two parts, and "\r\n" on the border of two.
  expected.push_back(std::string((size_t{3} << 20) - 1 - bytes.size() % (1 << 20), 'x'));
  absl::StrAppend(&bytes, expected.back(), "\r\n");
  ASSERT_EQ((bytes.size() - 1) % (1 << 20), 0u);
  EXPECT_TRUE(Lines(bytes) == expected);
}

TEST(ReadLinesTest, EndsAtTheFirstErrorOfTheTaker) {
  int64_t last = 0;
  Sha256 hash;
  const absl::Status status =
      ReadLines(Write("a\nb\nc\n"), kMostBytes, hash, [&](int64_t number, absl::string_view line) {
        last = number;
        return line == "b" ? absl::DataLossError("enough") : absl::OkStatus();
      });
  EXPECT_EQ(status, absl::DataLossError("enough"));
  EXPECT_EQ(last, 2);
}

TEST(ReadLinesTest, RefusesALineThatIsTooLong) {
  std::vector<std::string> lines;
  const auto read = [&](const std::string& bytes) {
    lines.clear();
    Sha256 hash;
    return ReadLines(Write(bytes), /*most_bytes=*/4, hash, [&](int64_t, absl::string_view line) {
      lines.emplace_back(line);
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(read("four\nfour\r\nfour").ok());
  EXPECT_THAT(lines, ElementsAre("four", "four", "four"));
  for (const char* bytes : {"four\nlines\n", "four\nlines\r\n", "four\nlines"}) {
    const absl::Status status = read(bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("read_lines, line 2: longer than 4 bytes, the most that is expected"));
    EXPECT_THAT(lines, ElementsAre("four"));
  }
}

// 16 GiB that take no room on the disk.
TEST(ReadLinesTest, EndsEarlyWhereAFileHasNoLineEnds) {
  const std::string path = Write("");
  std::filesystem::resize_file(path, uint64_t{16} << 30);
  Sha256 hash;
  const absl::Status status = ReadLines(
      path, kMostBytes, hash, [](int64_t, absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  std::filesystem::remove(path);
}

TEST(ReadLinesTest, NamesAMissingFile) {
  Sha256 hash;
  const absl::Status status =
      ReadLines("/no/such/file", kMostBytes, hash,
                [](int64_t, absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(status, absl::NotFoundError("/no/such/file is missing"));
}

}  // namespace
}  // namespace spion
