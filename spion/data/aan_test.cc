#include "spion/data/aan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::array<const char*, 3> kFiles = {"new_aan_pairs.train.tsv", "new_aan_pairs.eval.tsv",
                                               "new_aan_pairs.test.tsv"};

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string Line(const std::string& label, const std::string& text1, const std::string& text2) {
  return absl::StrCat(label, "\tP99-1001\tP99-1002\t", text1, "\t", text2);
}

/// The bytes of a document, from its ids.
std::string Text(const Split& split, int64_t example, int document) {
  std::vector<int32_t> ids(4096, -1);
  split.ReadIds(example, document, absl::MakeSpan(ids));
  std::string text;
  for (int i = 0; i < split.length(example, document); ++i) {
    text.push_back(static_cast<char>(ids[i] - 1));
  }
  return text;
}

class ReadAanTest : public testing::Test {
 protected:
  ReadAanTest() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    data_dir_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("aan_", test->name());
    std::filesystem::remove_all(data_dir_);
    std::filesystem::create_directories(data_dir_);
    for (int f = 0; f < 3; ++f) Write(data_dir_ / kFiles[f], FileBytes(f));
  }

  /// File f has f + 2 pairs.
  static std::string FileBytes(int f) {
    std::string bytes;
    for (int r = 0; r < f + 2; ++r) {
      bytes += Line(r % 2 == 0 ? "1" : "0", absl::StrCat("first ", f, r),
                    absl::StrCat("second ", f, r)) +
               "\n";
    }
    return bytes;
  }

  /// What reading gives when the eval file has these bytes.
  absl::StatusOr<Aan> ReadEval(const std::string& bytes) const {
    Write(data_dir_ / kFiles[1], bytes);
    return ReadAan(data_dir_.string());
  }

  /// Expects an error with this code and these words, and the way out.
  static void ExpectError(const absl::Status& status, absl::StatusCode code,
                          const std::string& words) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("Unpack lra_release.gz"),
                      HasSubstr("to use generated documents.")));
  }

  std::filesystem::path data_dir_;
};

TEST_F(ReadAanTest, ReadsTheFilesInOrder) {
  absl::StatusOr<Aan> aan = ReadAan(data_dir_.string());
  ASSERT_TRUE(aan.ok()) << aan.status();
  EXPECT_EQ(aan->folder.path, data_dir_);
  const std::array<const Split*, 3> splits = {&aan->train, &aan->eval, &aan->test};
  for (int f = 0; f < 3; ++f) {
    ASSERT_EQ(splits[f]->examples(), f + 2);
    for (int r = 0; r < f + 2; ++r) {
      EXPECT_EQ(splits[f]->label(r), r % 2 == 0 ? 1 : 0);
      EXPECT_EQ(Text(*splits[f], r, 0), absl::StrCat("first ", f, r));
      EXPECT_EQ(Text(*splits[f], r, 1), absl::StrCat("second ", f, r));
    }
  }
}

TEST_F(ReadAanTest, HashesTheThreeFilesInOrder) {
  absl::StatusOr<Aan> aan = ReadAan(data_dir_.string());
  ASSERT_TRUE(aan.ok()) << aan.status();
  EXPECT_EQ(aan->sha256, Sha256OfBytes(FileBytes(0) + FileBytes(1) + FileBytes(2)));
}

TEST_F(ReadAanTest, FindsTheFoldersThatPeopleHave) {
  std::filesystem::path has_it = data_dir_;
  for (const char* name : {"tsv_data", "aan", "matching", "lra_release/tsv_data",
                           "lra_release/lra_release/tsv_data"}) {
    const std::filesystem::path folder = data_dir_ / name;
    std::filesystem::create_directories(folder);
    for (const char* file : kFiles) std::filesystem::rename(has_it / file, folder / file);
    has_it = folder;
    absl::StatusOr<Aan> aan = ReadAan(data_dir_.string());
    ASSERT_TRUE(aan.ok()) << aan.status();
    EXPECT_EQ(aan->folder.path, folder);
    EXPECT_EQ(aan->train.examples(), 2);
  }
}

TEST_F(ReadAanTest, TakesEveryWayToWriteALabel) {
  absl::StatusOr<Aan> aan = ReadEval(Line("0", "a", "b") + "\n" + Line("1", "a", "b") + "\n" +
                                     Line("0.0", "a", "b") + "\n" + Line("1.0", "a", "b") + "\n");
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), 4);
  for (int r = 0; r < 4; ++r) EXPECT_EQ(aan->eval.label(r), r % 2);
}

TEST_F(ReadAanTest, TakesTextsAsTheyAre) {
  const std::string odd("b'it''s \"\\n\r\xff\0 x", 17);
  absl::StatusOr<Aan> aan = ReadEval(Line("1", odd, "\"" + odd) + "\n");
  ASSERT_TRUE(aan.ok()) << aan.status();
  EXPECT_EQ(Text(aan->eval, 0, 0), odd);
  EXPECT_EQ(Text(aan->eval, 0, 1), "\"" + odd);
}

TEST_F(ReadAanTest, CutsEachTextAtFourThousandBytes) {
  std::string exact(4000, 'e'), more(4001, 'm');
  exact.back() = 'E', more[3999] = 'M', more[4000] = '\r';
  absl::StatusOr<Aan> aan =
      ReadEval(Line("1", exact, more) + "\n" + Line("0", more, exact) + "\r\n");
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), 2);
  for (int r = 0; r < 2; ++r) {
    EXPECT_EQ(Text(aan->eval, r, r), exact);
    EXPECT_EQ(Text(aan->eval, r, 1 - r), more.substr(0, 4000));
  }
}

TEST_F(ReadAanTest, TellsWhichTextsAreCutWhateverTheLineEnd) {
  const std::string exact(4000, 'e'), more(4001, 'm');
  struct Case {
    std::string text2;
    std::string end;
    bool cut;
  };
  const std::vector<Case> cases = {{exact, "\n", false},
                                   {exact, "\r\n", false},
                                   {more, "\n", true},
                                   {more, "\r\n", true},
                                   {exact + "\r", "\r\n", true},
                                   {exact + "\rx", "\n", true},
                                   {exact + "\rxyz", "\n", true},
                                   {std::string(9000, 'l'), "\r\n", true}};
  std::string bytes;
  for (const Case& c : cases) bytes += Line("1", c.cut ? exact : more, c.text2) + c.end;
  absl::StatusOr<Aan> aan = ReadEval(bytes);
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(aan->eval.is_cut(i, 0), !cases[i].cut) << i;
    EXPECT_EQ(aan->eval.is_cut(i, 1), cases[i].cut) << i;
    EXPECT_EQ(aan->eval.name(i), absl::StrCat((data_dir_ / kFiles[1]).string(), ", line ", i + 1));
  }
}

TEST_F(ReadAanTest, TakesWindowsLineEnds) {
  absl::StatusOr<Aan> aan = ReadEval(Line("1", "a", "b") + "\r\n" + Line("0", "c", "d\r") + "\r\n");
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), 2);
  EXPECT_EQ(Text(aan->eval, 0, 1), "b");
  EXPECT_EQ(Text(aan->eval, 1, 1), "d\r");
}

TEST_F(ReadAanTest, TakesALastLineWithoutItsEnd) {
  absl::StatusOr<Aan> aan = ReadEval(Line("1", "a", "b") + "\n" + Line("0", "c", "d"));
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), 2);
  EXPECT_EQ(Text(aan->eval, 1, 1), "d");
}

// Some megabytes, so that the pieces in which a file is read end everywhere: in labels, ids, texts,
// and between CR and LF; and one line that is longer than a piece.
TEST_F(ReadAanTest, JoinsWhatIsReadInPieces) {
  std::string bytes;
  std::vector<std::array<std::string, 2>> expected;
  for (int r = 0; bytes.size() < size_t{12} << 20; ++r) {
    // The lengths are coprime to 2^20 in their sums, so that the ends wander.
    std::array<std::string, 2> texts = {
        std::string(1 + r * 37 % 6000, static_cast<char>('a' + r % 26)),
        std::string(1 + r * 53 % 5000, static_cast<char>('A' + r % 26))};
    if (r == 700) texts[0] = std::string(3 << 20, 'z');
    bytes += Line(r % 3 == 0 ? "1.0" : "0.0", texts[0], texts[1]) + "\r\n";
    for (std::string& text : texts) text.resize(std::min<size_t>(text.size(), 4000));
    expected.push_back(texts);
  }
  absl::StatusOr<Aan> aan = ReadEval(bytes);
  ASSERT_TRUE(aan.ok()) << aan.status();
  ASSERT_EQ(aan->eval.examples(), expected.size());
  for (size_t r = 0; r < expected.size(); ++r) {
    ASSERT_EQ(aan->eval.label(r), r % 3 == 0 ? 1 : 0);
    ASSERT_EQ(Text(aan->eval, r, 0), expected[r][0]);
    ASSERT_EQ(Text(aan->eval, r, 1), expected[r][1]);
  }
  EXPECT_EQ(aan->sha256, Sha256OfBytes(FileBytes(0) + bytes + FileBytes(2)));
}

TEST_F(ReadAanTest, NamesAMissingDataFolder) {
  std::filesystem::remove_all(data_dir_);
  ExpectError(ReadAan(data_dir_.string()).status(), absl::StatusCode::kNotFound,
              absl::StrCat("data folder ", data_dir_.string(), " is missing"));
}

TEST_F(ReadAanTest, SaysWhenTheDataFolderHasNoneOfIt) {
  for (const char* file : kFiles) std::filesystem::remove(data_dir_ / file);
  ExpectError(
      ReadAan(data_dir_.string()).status(), absl::StatusCode::kNotFound,
      "none of new_aan_pairs.train.tsv, new_aan_pairs.eval.tsv, new_aan_pairs.test.tsv is in");
}

TEST_F(ReadAanTest, NamesTheMissingFileOfAnyOfTheThree) {
  for (const char* file : kFiles) {
    std::filesystem::rename(data_dir_ / file, data_dir_ / "away");
    ExpectError(ReadAan(data_dir_.string()).status(), absl::StatusCode::kDataLoss,
                absl::StrCat((data_dir_ / file).string(), " is missing"));
    std::filesystem::rename(data_dir_ / "away", data_dir_ / file);
  }
}

TEST_F(ReadAanTest, RefusesAFolderInAFilesPlace) {
  std::filesystem::remove(data_dir_ / kFiles[2]);
  std::filesystem::create_directories(data_dir_ / kFiles[2]);
  ExpectError(ReadAan(data_dir_.string()).status(), absl::StatusCode::kFailedPrecondition,
              "new_aan_pairs.test.tsv is a folder, a file was expected");
}

TEST_F(ReadAanTest, NamesAFileThatCannotBeRead) {
  std::filesystem::remove(data_dir_ / kFiles[0]);
  std::filesystem::create_symlink(kFiles[0], data_dir_ / kFiles[0]);
  EXPECT_THAT(std::string(ReadAan(data_dir_.string()).status().message()),
              HasSubstr("new_aan_pairs.train.tsv cannot be read: Too many levels"));
}

TEST_F(ReadAanTest, NamesAnEmptyFile) {
  ExpectError(ReadEval("").status(), absl::StatusCode::kDataLoss,
              "new_aan_pairs.eval.tsv is empty, a pair of documents a line was expected");
}

struct BadLine {
  const char* name;
  std::string line;
  const char* words;
};

class BadLineTest : public ReadAanTest, public testing::WithParamInterface<BadLine> {};

TEST_P(BadLineTest, IsNamed) {
  const std::string good = Line("1", "a", "b") + "\n";
  // In the midst of the file and, with and without its end, as the last line.
  for (const std::string& rest : {"\n" + good, std::string("\n"), std::string("\r\n")}) {
    ExpectError(ReadEval(good + good + GetParam().line + rest).status(),
                absl::StatusCode::kDataLoss,
                absl::StrCat("new_aan_pairs.eval.tsv, line 3: ", GetParam().words));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadLineTest,
    testing::Values(
        BadLine{"WithoutTab", "a line of text", "no tab found, 5 columns expected: label, id1"},
        BadLine{"Blank", "", "no tab found, 5 columns expected"},
        BadLine{"Truncated", "1\tid1\tid2\ttext1", "4 columns found, 5 columns expected"},
        BadLine{"TooLong", Line("1", "a", "b") + "\tc", "6 columns found, 5 columns expected"},
        BadLine{"Label2", Line("2", "a", "b"), "label \"2\" found, 0 or 1 (or 0.0 or 1.0)"},
        BadLine{"NoLabel", Line("", "a", "b"), "label \"\" found"},
        BadLine{"Header", "label\tid1\tid2\ttext1\ttext2", "label \"label\" found"},
        BadLine{"ByteOrderMark",
                Line("\xef\xbb\xbf"
                     "1",
                     "a", "b"),
                "label \"\\xef\\xbb\\xbf\\x31\""},
        BadLine{"LongLabel", Line(std::string(50, '1'), "a", "b"), "label \"1111111111"},
        BadLine{"NoText1", Line("1", "", "b"), "text1 is empty, a document was expected"},
        BadLine{"NoText2", Line("1", "a", ""), "text2 is empty, a document was expected"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace spion
