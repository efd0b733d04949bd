#include "spion/base/read_file.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::HasSubstr;

std::string Path(const std::string& name) { return testing::TempDir() + "/read_file_" + name; }

TEST(ReadFileTest, GivesEveryByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  std::ofstream(Path("bytes"), std::ios::binary) << bytes;
  absl::StatusOr<std::string> read = ReadFile(Path("bytes"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, bytes);
}

TEST(ReadFileTest, GivesAnEmptyFile) {
  std::ofstream(Path("empty")).flush();
  absl::StatusOr<std::string> read = ReadFile(Path("empty"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, "");
}

TEST(ReadFileTest, NamesAMissingFile) {
  const absl::Status status = ReadFile(Path("missing")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), Path("missing") + " is missing");
}

TEST(ReadFileTest, RefusesAFolder) {
  std::filesystem::create_directories(Path("folder"));
  const absl::Status status = ReadFile(Path("folder")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), Path("folder") + " is a folder, a file was expected");
}

TEST(ReadFileTest, RefusesADevice) {
  const absl::Status status = ReadFile("/dev/null").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "/dev/null is no file, a file was expected");
}

TEST(ReadFileTest, SaysWhatTheSystemSaysOfALinkToItself) {
  std::filesystem::remove(Path("loop"));
  std::filesystem::create_symlink(Path("loop"), Path("loop"));
  const absl::Status status = ReadFile(Path("loop")).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(Path("loop") + " cannot be read: Too many levels of symbolic links"));
}

TEST(ReadFileTest, SaysWhenReadingIsNotPermitted) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::ofstream(Path("locked")) << "x";
  std::filesystem::permissions(Path("locked"), std::filesystem::perms::none);
  const absl::Status status = ReadFile(Path("locked")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("locked") + " cannot be opened"));
}

TEST(ReadFileInPartsTest, GivesEveryByteInOrder) {
  std::string bytes;
  for (int i = 0; i < 1'300'000; ++i) bytes += static_cast<char>('a' + i % 23);
  std::ofstream(Path("parts"), std::ios::binary) << bytes;
  std::string read;
  int parts = 0;
  const absl::Status status = ReadFileInParts(Path("parts"), [&](absl::string_view part) {
    EXPECT_LE(part.size(), size_t{1} << 20);
    read.append(part.data(), part.size());
    ++parts;
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(read == bytes);
  EXPECT_EQ(parts, 2);
}

TEST(ReadFileInPartsTest, EndsAtTheFirstErrorOfTheTaker) {
  std::ofstream(Path("ends"), std::ios::binary) << std::string(3 << 20, 'x');
  int parts = 0;
  const absl::Status status = ReadFileInParts(Path("ends"), [&](absl::string_view) {
    return ++parts == 2 ? absl::DataLossError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::DataLossError("enough"));
  EXPECT_EQ(parts, 2);
}

TEST(ReadFileInPartsTest, HasTheErrorsOfReadFile) {
  const auto take = [](absl::string_view) { return absl::OkStatus(); };
  for (const std::string& path : {Path("missing"), std::string("/dev/null")}) {
    EXPECT_FALSE(ReadFileInParts(path, take).ok());
    EXPECT_EQ(ReadFileInParts(path, take), ReadFile(path).status());
  }
}

}  // namespace
}  // namespace spion
