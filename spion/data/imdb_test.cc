#include "spion/data/imdb.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
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

constexpr int kReviews = 3;

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The bytes of an example, from its ids; checks that the rest of the 4096 is padding.
std::string Text(const Split& split, int64_t example) {
  std::vector<int32_t> ids(4096, -1);
  split.ReadIds(example, 0, absl::MakeSpan(ids));
  std::string text;
  for (int i = 0; i < 4096; ++i) {
    if (i >= split.length(example, 0)) {
      EXPECT_EQ(ids[i], 0);
    } else {
      text.push_back(static_cast<char>(ids[i] - 1));
    }
  }
  return text;
}

class ReadImdbTest : public testing::Test {
 protected:
  // Folders of the IDs 2, 10 and 1 (in which the names' order is not the numbers'), with texts that
  // say where they are from.
  ReadImdbTest() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    data_dir_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("imdb_", test->name());
    std::filesystem::remove_all(data_dir_);
    folder_ = data_dir_ / "aclImdb";
    for (const char* split : {"train", "test"}) {
      for (const char* label : {"neg", "pos"}) {
        std::filesystem::create_directories(folder_ / split / label);
        for (const char* name : {"2_1.txt", "10_3.txt", "1_10.txt"}) {
          Write(folder_ / split / label / name, absl::StrCat(split, " ", label, " ", name));
        }
      }
    }
  }

  static absl::StatusOr<Imdb> Read(const std::filesystem::path& data_dir) {
    return internal::ReadImdbFolders(data_dir.string(), kReviews);
  }

  /// Expects an error of reading data_dir_ with this code and these words, and the way out.
  void ExpectError(absl::StatusCode code, const std::string& words) const {
    const absl::Status status = Read(data_dir_).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("Unpack aclImdb_v1.tar.gz"),
                      HasSubstr("to use generated reviews.")));
  }

  std::filesystem::path data_dir_;
  std::filesystem::path folder_;
};

TEST_F(ReadImdbTest, ReadsByIdWithTheLabelsInTurn) {
  absl::StatusOr<Imdb> imdb = Read(data_dir_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  EXPECT_EQ(imdb->folder.path, folder_);
  const std::vector<std::string> names = {"1_10.txt", "2_1.txt", "10_3.txt"};
  for (const auto& [name, split] : {std::pair("train", &imdb->train), {"test", &imdb->test}}) {
    ASSERT_EQ(split->examples(), 6);
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(split->label(i), i % 2);
      EXPECT_EQ(Text(*split, i), absl::StrCat(name, i % 2 == 0 ? " neg " : " pos ", names[i / 2]));
    }
  }
}

TEST_F(ReadImdbTest, KeepsBytesAsTheyAreAndCutsAtFourThousand) {
  const std::string bytes("\xff\0\r\n\t", 5);
  std::string exact(4000, 'e'), more(4001, 'm');
  exact.back() = 'E', more[3999] = 'M', more[4000] = 'x';
  Write(folder_ / "train/neg/1_10.txt", bytes);
  Write(folder_ / "train/pos/1_10.txt", exact);
  Write(folder_ / "train/neg/2_1.txt", more);
  Write(folder_ / "train/pos/2_1.txt", "x");
  absl::StatusOr<Imdb> imdb = Read(data_dir_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  EXPECT_EQ(Text(imdb->train, 0), bytes);
  EXPECT_EQ(Text(imdb->train, 1), exact);
  EXPECT_EQ(Text(imdb->train, 2), more.substr(0, 4000));
  EXPECT_EQ(Text(imdb->train, 3), "x");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(imdb->train.is_cut(i, 0), i == 2);
  EXPECT_EQ(imdb->train.name(2), (folder_ / "train/neg/2_1.txt").string());
  EXPECT_EQ(imdb->test.name(5), (folder_ / "test/pos/10_3.txt").string());
}

TEST_F(ReadImdbTest, HashesTheWholeFilesInTheOrderOfTheExamples) {
  Write(folder_ / "train/neg/1_10.txt", std::string(5000, 'l'));
  absl::StatusOr<Imdb> imdb = Read(data_dir_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  std::string all(5000, 'l');
  for (int i = 1; i < 6; ++i) all += Text(imdb->train, i);
  for (int i = 0; i < 6; ++i) all += Text(imdb->test, i);
  EXPECT_EQ(imdb->sha256, Sha256OfBytes(all));
}

TEST_F(ReadImdbTest, TakesTheInnerFolderToo) {
  absl::StatusOr<Imdb> imdb = Read(folder_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  EXPECT_EQ(imdb->folder.path, folder_);
  EXPECT_EQ(imdb->train.examples(), 6);
}

TEST_F(ReadImdbTest, FindsItWhereOthersPutIt) {
  std::filesystem::create_directories(data_dir_ / "imdb");
  std::filesystem::rename(folder_, data_dir_ / "imdb" / "aclImdb");
  absl::StatusOr<Imdb> imdb = Read(data_dir_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  EXPECT_EQ(imdb->folder.path, data_dir_ / "imdb" / "aclImdb");
}

TEST_F(ReadImdbTest, PassesOverWhatIsNoReview) {
  Write(folder_ / "train/pos/.DS_Store", "x");
  std::filesystem::create_directories(folder_ / "train/unsup");
  Write(folder_ / "train/unsup/0_0.txt", "x");
  absl::StatusOr<Imdb> imdb = Read(data_dir_);
  ASSERT_TRUE(imdb.ok()) << imdb.status();
  EXPECT_EQ(imdb->train.examples(), 6);
}

TEST_F(ReadImdbTest, ExpectsTwelveAndAHalfThousandReviewsAFolder) {
  const absl::Status status = ReadImdb(data_dir_.string()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr((folder_ / "train/neg").string() +
                        " is not complete: 3 files ID_RATING.txt found, 12500 expected"));
}

TEST_F(ReadImdbTest, NamesAMissingDataFolder) {
  std::filesystem::remove_all(data_dir_);
  ExpectError(absl::StatusCode::kNotFound,
              absl::StrCat("data folder ", data_dir_.string(), " is missing"));
}

TEST_F(ReadImdbTest, SaysWhenTheDataFolderHasNoneOfIt) {
  std::filesystem::remove_all(folder_);
  ExpectError(absl::StatusCode::kNotFound,
              "none of train/neg, train/pos, test/neg, test/pos is in");
}

TEST_F(ReadImdbTest, NamesTheMissingFolderOfAnyOfTheFour) {
  for (const char* name : {"train/neg", "train/pos", "test/neg", "test/pos"}) {
    std::filesystem::rename(folder_ / name, data_dir_ / "away");
    ExpectError(absl::StatusCode::kDataLoss,
                absl::StrCat("folder ", (folder_ / name).string(), " is missing"));
    std::filesystem::rename(data_dir_ / "away", folder_ / name);
  }
}

TEST_F(ReadImdbTest, RefusesAFileInAFoldersPlace) {
  std::filesystem::remove_all(folder_ / "test/pos");
  Write(folder_ / "test/pos", "x");
  ExpectError(absl::StatusCode::kFailedPrecondition, "test/pos is not a folder");
}

TEST_F(ReadImdbTest, NamesAFolderWithoutReviews) {
  std::filesystem::remove_all(folder_ / "test/neg");
  std::filesystem::create_directories(folder_ / "test/neg");
  ExpectError(absl::StatusCode::kDataLoss,
              "test/neg has no review: 0 files ID_RATING.txt found, 3 expected");
}

TEST_F(ReadImdbTest, NamesAFolderWithTooManyReviews) {
  Write(folder_ / "train/pos/3_7.txt", "x");
  ExpectError(absl::StatusCode::kDataLoss,
              "train/pos has too many: 4 files ID_RATING.txt found, 3 expected");
}

TEST_F(ReadImdbTest, NamesAnEmptyReview) {
  Write(folder_ / "test/pos/10_3.txt", "");
  ExpectError(absl::StatusCode::kDataLoss, "test/pos/10_3.txt is empty, a review was expected");
}

TEST_F(ReadImdbTest, NamesAReviewThatIsTooLong) {
  // More than there is memory; it takes no room on the disk.
  std::filesystem::resize_file(folder_ / "test/pos/10_3.txt", uint64_t{1} << 43);
  ExpectError(absl::StatusCode::kDataLoss,
              "test/pos/10_3.txt is too long: 8796093022208 bytes found, 1048576 expected at most");
}

TEST_F(ReadImdbTest, EndsEarlyInAFolderOfManyMore) {
  for (int id = 20; id < 40; ++id) {
    Write(folder_ / "train/neg" / absl::StrCat(id, "_1.txt"), "x");
  }
  ExpectError(absl::StatusCode::kDataLoss,
              "train/neg has too many: more than 6 files ID_RATING.txt found, 3 expected");
}

TEST_F(ReadImdbTest, RefusesAFolderInAReviewsPlace) {
  std::filesystem::remove(folder_ / "train/neg/2_1.txt");
  std::filesystem::create_directories(folder_ / "train/neg/2_1.txt");
  ExpectError(absl::StatusCode::kFailedPrecondition,
              "train/neg/2_1.txt is a folder, a file was expected");
}

TEST_F(ReadImdbTest, RefusesATextFileOfAnotherName) {
  for (const char* name : {"notes.txt", "3.txt", "3_.txt", "_3.txt", "a_3.txt", "3_4_5.txt",
                           "-3_4.txt", "._1_10.txt"}) {
    Write(folder_ / "train/pos" / name, "x");
    ExpectError(absl::StatusCode::kDataLoss,
                absl::StrCat("train/pos/", name, " is not named ID_RATING.txt"));
    std::filesystem::remove(folder_ / "train/pos" / name);
  }
}

TEST_F(ReadImdbTest, RefusesTwoReviewsOfOneId) {
  std::filesystem::rename(folder_ / "train/pos/2_1.txt", folder_ / "train/pos/1_9.txt");
  ExpectError(absl::StatusCode::kDataLoss, "train/pos/1_9.txt have the same ID");
}

TEST_F(ReadImdbTest, NamesAReviewThatCannotBeRead) {
  std::filesystem::remove(folder_ / "test/neg/1_10.txt");
  std::filesystem::create_symlink("1_10.txt", folder_ / "test/neg/1_10.txt");
  const absl::Status status = Read(data_dir_).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("test/neg/1_10.txt cannot be read: Too many levels"));
}

TEST_F(ReadImdbTest, NamesAFolderThatCannotBeListed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(folder_ / "train/pos", std::filesystem::perms::none);
  ExpectError(absl::StatusCode::kPermissionDenied, "train/pos cannot be read");
  std::filesystem::permissions(folder_ / "train/pos", std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace spion
