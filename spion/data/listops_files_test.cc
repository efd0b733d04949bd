#include "spion/data/listops_files.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGood[] = "Source\tTarget\n( ( ( [MAX 2 ) 9 ) ] )\t9\n[MIN 4 2 ]\t2\n";
const std::vector<std::string>& Names() {
  static const auto* names =
      new std::vector<std::string>{"basic_train.tsv", "basic_val.tsv", "basic_test.tsv"};
  return *names;
}

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string Content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ListOpsFilesTest : public testing::Test {
 protected:
  ListOpsFilesTest() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("listops_", test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (const std::string& name : Names()) Write(folder_ / name, kGood);
  }

  /// The examples as "split: tokens = value".
  absl::StatusOr<std::vector<std::string>> Read(Sha256& hash) const {
    std::vector<std::string> examples;
    const absl::Status status =
        ReadListOps(folder_.string(), hash,
                    [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
                      std::string text = absl::StrCat(static_cast<int>(split), ":");
                      for (uint8_t token : tokens)
                        absl::StrAppend(&text, " ", static_cast<int>(token));
                      examples.push_back(absl::StrCat(text, " = ", value));
                    });
    if (!status.ok()) return status;
    return examples;
  }
  absl::StatusOr<std::vector<std::string>> Read() const {
    Sha256 hash;
    return Read(hash);
  }

  void ExpectError(absl::StatusCode code, const std::string& words) const {
    const absl::Status status = Read().status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(absl::StrCat(folder_.string(), "/", words)),
                      HasSubstr("bazel run //tools:make_listops -- --out=DIR, or give no data")));
  }

  /// Expects an error of reading a dev file with this content, which begins with these words after
  /// the file's name.
  void ExpectBad(const std::string& content, const std::string& words) const {
    Write(folder_ / "basic_val.tsv", content);
    ExpectError(absl::StatusCode::kDataLoss, absl::StrCat("basic_val.tsv", words));
  }

  std::filesystem::path folder_;
};

TEST_F(ListOpsFilesTest, ReadsBothFormsInOrder) {
  Write(folder_ / "basic_test.tsv", "Source\tTarget\n7\t7\n");
  Sha256 hash;
  const auto examples = Read(hash);
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_THAT(*examples, ElementsAre("0: 11 2 9 14 = 9", "0: 10 4 2 14 = 2", "1: 11 2 9 14 = 9",
                                     "1: 10 4 2 14 = 2", "2: 7 = 7"));
  EXPECT_EQ(hash.HexDigest(), Sha256OfBytes(absl::StrCat(kGood, kGood, "Source\tTarget\n7\t7\n")));
}

TEST_F(ListOpsFilesTest, ReadsWindowsLineEndsAndALastLineWithoutOne) {
  for (const std::string& name : Names()) {
    Write(folder_ / name, "Source\tTarget\r\n( ( ( [MAX 2 ) 9 ) ] )\t9\r\n[MIN 4 2 ]\t2");
  }
  const auto examples = Read();
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->size(), 6u);
  EXPECT_EQ(examples->back(), "2: 10 4 2 14 = 2");
}

TEST_F(ListOpsFilesTest, RefusesAFileWithoutLineEnds) {
  // 16 GiB that take no room on the disk.
  std::filesystem::resize_file(folder_ / "basic_val.tsv", uint64_t{16} << 30);
  ExpectError(absl::StatusCode::kDataLoss,
              "basic_val.tsv, line 4: longer than 1048576 bytes, the most that is expected (are "
              "there line ends?)");
}

TEST_F(ListOpsFilesTest, NamesWhatIsWrongWithTheHeader) {
  ExpectBad("", " is empty: the header and one line for each expression expected");
  ExpectBad("Source\tTarget\n", " has no line after its header:");
  ExpectBad("[MIN 4 2 ]\t2\n",
            ", line 1: \"[MIN 4 2 ]\\t2\" found, the header \"Source<TAB>Target\" expected");
  ExpectBad("Source Target\n7\t7\n", ", line 1: \"Source Target\" found, the header");
  ExpectBad("\n7\t7\n", ", line 1: \"\" found, the header");
  ExpectBad("Source\tTarget\n7\t7\nSource\tTarget\n8\t8\n",
            ", line 3: the header for the second time; expected once, in line 1");
}

TEST_F(ListOpsFilesTest, NamesTheLineThatIsWrong) {
  const std::string head = "Source\tTarget\n7\t7\n";
  ExpectBad(head + "[MIN 4 2 ] 2\n", ", line 3: no tab in \"[MIN 4 2 ] 2\"; an expression,");
  ExpectBad(head + "\n7\t7\n", ", line 3: no tab in \"\";");
  ExpectBad(head + std::string(500, '\1'), ", line 3: no tab in \"\\x01\\x01");
  ExpectBad(head + "7\tseven\n", ", line 3: target \"seven\" found, a digit expected");
  ExpectBad(head + "7\t\n", ", line 3: target \"\" found");
  ExpectBad(head + "7\t07\n", ", line 3: target \"07\" found");
  ExpectBad(head + "7\t-7\n", ", line 3: target \"-7\" found");
  ExpectBad(head + "7\t7\t7\n", ", line 3: target \"7\\t7\" found");
  ExpectBad(head + "[AVG 4 2 ]\t3\n", ", line 3: unknown token \"[AVG\" (word 1)");
  ExpectBad(head + "[MIN 4 2\t2\n", ", line 3: the brackets do not match: [MIN without \"]\"");
  ExpectBad(head + "( ( [MIN 4 ) 2 ) ]\t2\n7\t7\n7\t8\n", ", line 5: target 8 found");
  ExpectBad(head + "( ( ( [MIN 4 ) 2 ) ]\t2\n", ", line 3: the brackets do not match: 1 \"(\"");
  ExpectBad(head + "[MIN 4 2 ] ]\t2\n", ", line 3: the brackets do not match: \"]\" closes");
  ExpectBad(head + "\t2\n", ", line 3: the expression is empty");
  ExpectBad(head + "[MED 3 4 ]\t4\n", ", line 3: target 4 found, but the expression's value is 3");
}

TEST_F(ListOpsFilesTest, NamesTheMissingFileOfAnyOfTheThree) {
  for (const std::string& name : Names()) {
    std::filesystem::rename(folder_ / name, folder_ / "away");
    ExpectError(absl::StatusCode::kDataLoss, absl::StrCat(name, " is missing"));
    std::filesystem::rename(folder_ / "away", folder_ / name);
  }
}

TEST_F(ListOpsFilesTest, RefusesAFolderInAFilesPlace) {
  std::filesystem::remove(folder_ / "basic_test.tsv");
  std::filesystem::create_directories(folder_ / "basic_test.tsv");
  ExpectError(absl::StatusCode::kFailedPrecondition,
              "basic_test.tsv is a folder, a file was expected");
}

TEST_F(ListOpsFilesTest, NamesAFileThatMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(folder_ / "basic_val.tsv", std::filesystem::perms::none);
  ExpectError(absl::StatusCode::kPermissionDenied, "basic_val.tsv cannot be opened");
}

TEST_F(ListOpsFilesTest, FindsTheFoldersThatPeopleHave) {
  EXPECT_EQ(FindListOpsFolder(folder_.string())->path, folder_);
  const std::filesystem::path outer = folder_ / "outer";
  for (const char* name : {"listops-1000", "listops", "lra_release/listops-1000",
                           "lra_release/lra_release/listops-1000"}) {
    std::filesystem::remove_all(outer);
    std::filesystem::create_directories(outer / name);
    Write(outer / name / "basic_val.tsv", kGood);
    for (const std::filesystem::path& data_dir : {outer, outer / name}) {
      const absl::StatusOr<DataFolder> found = FindListOpsFolder(data_dir.string());
      ASSERT_TRUE(found.ok()) << found.status();
      EXPECT_EQ(found->path, outer / name);
      EXPECT_TRUE(found->passed_over.empty());
    }
  }
}

TEST_F(ListOpsFilesTest, SaysWhenTheDataFolderHasNoneOfIt) {
  const auto expect = [](const std::filesystem::path& data_dir, absl::StatusCode code,
                         const std::string& words) {
    const absl::Status status = FindListOpsFolder(data_dir.string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("bazel run //tools:make_listops")));
  };
  const std::filesystem::path missing = folder_ / "missing";
  expect(missing, absl::StatusCode::kNotFound,
         absl::StrCat("data folder ", missing.string(), " is missing"));
  expect(folder_ / "basic_val.tsv", absl::StatusCode::kFailedPrecondition,
         "basic_val.tsv is not a folder");
  for (const std::string& name : Names()) std::filesystem::remove(folder_ / name);
  expect(folder_, absl::StatusCode::kNotFound,
         "none of basic_train.tsv, basic_val.tsv, basic_test.tsv is in " + folder_.string());
}

constexpr GeneratedSizes kSmall = {.train = 4, .dev = 3, .test = 2};

TEST_F(ListOpsFilesTest, WritesOneFileASplit) {
  const std::filesystem::path out = folder_ / "a" / "b";
  const absl::Status status = WriteListOps(out.string(), 3, kSmall, /*overwrite=*/false);
  ASSERT_TRUE(status.ok()) << status;
  const std::array<int, 3> lines = {4, 3, 2};
  for (int i = 0; i < 3; ++i) {
    const std::string content = Content(out / Names()[i]);
    EXPECT_EQ(content.substr(0, 16), "Source\tTarget\n( ");
    EXPECT_EQ(std::count(content.begin(), content.end(), '\n'), 1 + lines[i]);
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out), {}), 3);
}

TEST_F(ListOpsFilesTest, OverwritesOnlyWhenAskedTo) {
  std::filesystem::remove(folder_ / "basic_train.tsv");
  const absl::Status status = WriteListOps(folder_.string(), 3, kSmall, /*overwrite=*/false);
  EXPECT_EQ(status, absl::AlreadyExistsError(
                        absl::StrCat(folder_.string(), "/basic_val.tsv is there already")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "basic_train.tsv"));
  EXPECT_EQ(Content(folder_ / "basic_val.tsv"), kGood);
  ASSERT_TRUE(WriteListOps(folder_.string(), 3, kSmall, /*overwrite=*/true).ok());
  EXPECT_NE(Content(folder_ / "basic_val.tsv"), kGood);
  EXPECT_EQ(Read()->size(), 9u);
}

TEST_F(ListOpsFilesTest, WritesNothingWhenItFails) {
  EXPECT_EQ(WriteListOps(folder_.string(), 3, {.train = 2, .dev = -1}, /*overwrite=*/true).code(),
            absl::StatusCode::kInvalidArgument);
  for (const std::string& name : Names()) EXPECT_EQ(Content(folder_ / name), kGood);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 3);
}

TEST_F(ListOpsFilesTest, DoesNotOverwriteAFolder) {
  std::filesystem::remove(folder_ / "basic_test.tsv");
  std::filesystem::create_directories(folder_ / "basic_test.tsv");
  EXPECT_EQ(WriteListOps(folder_.string(), 3, kSmall, /*overwrite=*/true),
            absl::FailedPreconditionError(absl::StrCat(
                folder_.string(), "/basic_test.tsv is a folder, where a file is to be written")));
  EXPECT_EQ(Content(folder_ / "basic_train.tsv"), kGood);
}

TEST_F(ListOpsFilesTest, NamesTheFolderThatCannotBeMade) {
  const std::string inside_a_file = (folder_ / "basic_val.tsv" / "out").string();
  EXPECT_THAT(std::string(WriteListOps(inside_a_file, 3, kSmall, /*overwrite=*/true).message()),
              HasSubstr("cannot make the folder " + inside_a_file));
}

}  // namespace
}  // namespace spion
