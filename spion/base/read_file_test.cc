#include "spion/base/read_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
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

TEST(ReadFileIntoTest, ReplacesWhatWasThere) {
  std::ofstream(Path("long")) << "a longer content";
  std::ofstream(Path("short")) << "short";
  std::string bytes = "before";
  ASSERT_TRUE(ReadFileInto(Path("long"), bytes).ok());
  EXPECT_EQ(bytes, "a longer content");
  ASSERT_TRUE(ReadFileInto(Path("short"), bytes).ok());
  EXPECT_EQ(bytes, "short");
}

TEST(ReadFileTest, RefusesMoreThanItsLimitBeforeItReads) {
  std::ofstream(Path("limit")) << "12345";
  EXPECT_EQ(ReadFile(Path("limit"), 5).value(), "12345");
  EXPECT_EQ(ReadFile(Path("limit"), 4).status(),
            absl::DataLossError(Path("limit") + " is too long: 5 bytes found, 4 expected at most"));
  // More than there is memory; it takes no room on the disk.
  std::filesystem::resize_file(Path("limit"), uint64_t{1} << 43);
  EXPECT_EQ(ReadFile(Path("limit")).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(Path("limit"));
}

TEST(ReadFileTest, SaysWhenThereIsNoMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer ends a program that asks for so much";
#endif
  std::ofstream(Path("huge")).flush();
  std::filesystem::resize_file(Path("huge"), uint64_t{1} << 43);
  const auto read_in_little_memory = [] {
    const rlimit little = {.rlim_cur = rlim_t{1} << 32, .rlim_max = rlim_t{1} << 32};
    setrlimit(RLIMIT_AS, &little);
    const absl::Status status = ReadFile(Path("huge"), int64_t{1} << 43).status();
    std::cerr << status << std::endl;
    _exit(status.code() == absl::StatusCode::kResourceExhausted ? 0 : 1);
  };
  EXPECT_EXIT(read_in_little_memory(), testing::ExitedWithCode(0),
              "huge cannot be read: no memory for its 8796093022208 bytes");
  std::filesystem::remove(Path("huge"));
}

TEST(ReadFilePiecesTest, GivesEveryByteInOrder) {
  // Two whole pieces and a part of one, with a period that divides none of them.
  std::string content;
  for (int i = 0; i < (5 << 19); ++i) content.push_back(static_cast<char>(i % 251));
  std::ofstream(Path("pieces"), std::ios::binary) << content;
  std::string joined;
  int pieces = 0;
  const absl::Status status = ReadFilePieces(Path("pieces"), [&](absl::string_view piece) {
    EXPECT_FALSE(piece.empty());
    EXPECT_LE(piece.size(), size_t{1} << 20);
    joined.append(piece.data(), piece.size());
    ++pieces;
    return absl::OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(pieces, 3);
  EXPECT_TRUE(joined == content);
}

TEST(ReadFilePiecesTest, StopsAtTheFirstErrorOfItsCaller) {
  std::ofstream(Path("stops"), std::ios::binary) << std::string(3 << 20, 'x');
  int pieces = 0;
  const absl::Status status = ReadFilePieces(Path("stops"), [&](absl::string_view) {
    ++pieces;
    return absl::DataLossError("enough");
  });
  EXPECT_EQ(status, absl::DataLossError("enough"));
  EXPECT_EQ(pieces, 1);
}

TEST(ReadFilePiecesTest, GivesNoPieceOfAnEmptyFile) {
  std::ofstream(Path("empty_pieces")).flush();
  EXPECT_TRUE(ReadFilePieces(Path("empty_pieces"), [](absl::string_view) {
                return absl::InternalError("a piece");
              }).ok());
}

TEST(ReadFilePiecesTest, NamesAMissingFile) {
  const absl::Status status =
      ReadFilePieces(Path("missing"), [](absl::string_view) { return absl::OkStatus(); });
  EXPECT_EQ(status, absl::NotFoundError(Path("missing") + " is missing"));
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

}  // namespace
}  // namespace spion
