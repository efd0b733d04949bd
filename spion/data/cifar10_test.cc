#include "spion/data/cifar10.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"
#include "spion/data/formats/write_test_archive.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kRecords = 3;
constexpr size_t kRecordBytes = 3073;

const std::vector<std::string>& Files() {
  static const auto* files =
      new std::vector<std::string>{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                   "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
  return *files;
}

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A record whose red, green and blue planes are of one value each.
std::string Record(int label, int red, int green, int blue) {
  std::string record(1, static_cast<char>(label));
  for (int value : {red, green, blue}) record.append(1024, static_cast<char>(value));
  return record;
}

class ReadCifar10Test : public testing::Test {
 protected:
  // Record r of file f has label (f + r) % 10 and the colour (10 f, 20 r, 30).
  ReadCifar10Test() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    data_dir_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("cifar10_", test->name());
    std::filesystem::remove_all(data_dir_);
    folder_ = data_dir_ / "cifar-10-batches-bin";
    std::filesystem::create_directories(folder_);
    for (int f = 0; f < 6; ++f) Write(folder_ / Files()[f], FileBytes(f));
  }

  static std::string FileBytes(int f) {
    std::string bytes;
    for (int r = 0; r < kRecords; ++r) bytes += Record((f + r) % 10, 10 * f, 20 * r, 30);
    return bytes;
  }

  static absl::StatusOr<Cifar10> Read(const std::filesystem::path& data_dir) {
    return internal::ReadCifar10Files(data_dir.string(), kRecords);
  }

  /// Expects an error of reading data_dir_ with this code and these words, and the way out.
  void ExpectError(absl::StatusCode code, const std::string& words) const {
    const absl::Status status = Read(data_dir_).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("Get cifar-10-binary.tar.gz"),
                      HasSubstr("to use generated pictures.")));
  }

  std::filesystem::path data_dir_;
  std::filesystem::path folder_;
};

TEST(GreyOfTest, IsTheTruncatedWeightedSum) {
  EXPECT_EQ(GreyOf(0, 0, 0), 0);
  EXPECT_EQ(GreyOf(255, 255, 255), 254);  // 254.9745
  EXPECT_EQ(GreyOf(255, 0, 0), 76);       // 76.2195
  EXPECT_EQ(GreyOf(0, 255, 0), 149);      // 149.685
  EXPECT_EQ(GreyOf(0, 0, 255), 29);       // 29.07
  EXPECT_EQ(GreyOf(100, 200, 50), 152);   // 29.89 + 117.4 + 5.7 = 152.99
  EXPECT_EQ(GreyOf(0, 100, 50), 64);      // 58.7 + 5.7 = 64.4
  EXPECT_EQ(GreyOf(0, 0, 50), 5);         // 5.7
  EXPECT_EQ(GreyOf(0, 50, 25), 32);       // 29.35 + 2.85 = 32.2
  EXPECT_EQ(GreyOf(100, 0, 0), 29);       // 29.89
  EXPECT_EQ(GreyOf(0, 100, 0), 58);       // 58.7
  EXPECT_EQ(GreyOf(0, 200, 100), 128);    // 117.4 + 11.4 = 128.8
  EXPECT_EQ(GreyOf(0, 150, 75), 96);      // 88.05 + 8.55 = 96.6
  EXPECT_EQ(GreyOf(0, 0, 150), 17);       // 17.1
}

TEST_F(ReadCifar10Test, ReadsTheFilesInOrder) {
  absl::StatusOr<Cifar10> cifar = Read(data_dir_);
  ASSERT_TRUE(cifar.ok()) << cifar.status();
  EXPECT_EQ(cifar->folder.path, folder_);
  ASSERT_EQ(cifar->train.size(), 15u);
  ASSERT_EQ(cifar->test.size(), 3u);
  for (int f = 0; f < 6; ++f) {
    for (int r = 0; r < kRecords; ++r) {
      const GreyPicture& picture = f < 5 ? cifar->train[f * kRecords + r] : cifar->test[r];
      EXPECT_EQ(picture.label, (f + r) % 10);
      EXPECT_EQ(picture.pixels.front(), GreyOf(10 * f, 20 * r, 30));
      EXPECT_EQ(picture.pixels.back(), GreyOf(10 * f, 20 * r, 30));
    }
  }
}

TEST_F(ReadCifar10Test, TakesEachPixelFromItsPlaceInTheThreePlanes) {
  // Pixel 33 (second row, second column) is red, pixel 34 green, pixel 1023 blue, the rest black.
  std::string record = Record(4, 0, 0, 0);
  record[1 + 33] = '\xff';
  record[1 + 1024 + 34] = '\xff';
  record[1 + 2048 + 1023] = '\xff';
  Write(folder_ / "test_batch.bin", FileBytes(5).replace(kRecordBytes, kRecordBytes, record));
  absl::StatusOr<Cifar10> cifar = Read(data_dir_);
  ASSERT_TRUE(cifar.ok()) << cifar.status();
  std::array<uint8_t, 1024> expected{};
  expected[33] = 76;
  expected[34] = 149;
  expected[1023] = 29;
  EXPECT_EQ(cifar->test[1].label, 4);
  EXPECT_EQ(cifar->test[1].pixels, expected);
}

TEST_F(ReadCifar10Test, HashesTheSixFilesInOrder) {
  absl::StatusOr<Cifar10> cifar = Read(data_dir_);
  ASSERT_TRUE(cifar.ok()) << cifar.status();
  std::string all;
  for (int f = 0; f < 6; ++f) all += FileBytes(f);
  EXPECT_EQ(cifar->sha256, Sha256OfBytes(all));
}

TEST_F(ReadCifar10Test, TakesTheInnerFolderToo) {
  absl::StatusOr<Cifar10> cifar = Read(folder_);
  ASSERT_TRUE(cifar.ok()) << cifar.status();
  EXPECT_EQ(cifar->folder.path, folder_);
  EXPECT_EQ(cifar->train.size(), 15u);
}

TEST_F(ReadCifar10Test, ExpectsTenThousandRecordsAFile) {
  const absl::Status status = ReadCifar10(data_dir_.string()).status();
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("data_batch_1.bin is truncated: 9219 bytes found, 30730000 expected "
                        "(10000 records of 3073)"));
}

TEST_F(ReadCifar10Test, NamesAMissingDataFolder) {
  std::filesystem::remove_all(data_dir_);
  ExpectError(absl::StatusCode::kNotFound,
              absl::StrCat("data folder ", data_dir_.string(), " is missing"));
}

TEST_F(ReadCifar10Test, RefusesAFileAsDataFolder) {
  std::filesystem::remove_all(data_dir_);
  Write(data_dir_, "x");
  ExpectError(absl::StatusCode::kFailedPrecondition, data_dir_.string() + " is not a folder");
}

TEST_F(ReadCifar10Test, SaysWhenTheDataFolderHasNoneOfIt) {
  std::filesystem::remove_all(folder_);
  ExpectError(absl::StatusCode::kNotFound, "none of data_batch_1.bin, data_batch_2.bin,");
}

TEST_F(ReadCifar10Test, RefusesAFileInTheFoldersPlace) {
  std::filesystem::remove_all(folder_);
  Write(folder_, "x");
  ExpectError(absl::StatusCode::kFailedPrecondition, folder_.string() + " is not a folder");
}

TEST_F(ReadCifar10Test, NamesTheMissingFileOfAnyOfTheSix) {
  for (const std::string& file : Files()) {
    const std::filesystem::path away = data_dir_ / "away";
    std::filesystem::rename(folder_ / file, away);
    ExpectError(absl::StatusCode::kDataLoss,
                absl::StrCat((folder_ / file).string(), " is missing"));
    std::filesystem::rename(away, folder_ / file);
  }
}

TEST_F(ReadCifar10Test, NamesAnEmptyFile) {
  Write(folder_ / "data_batch_3.bin", "");
  ExpectError(absl::StatusCode::kDataLoss,
              "data_batch_3.bin is empty: 0 bytes found, 9219 expected (3 records of 3073)");
}

TEST_F(ReadCifar10Test, NamesATruncatedFile) {
  Write(folder_ / "test_batch.bin", FileBytes(5).substr(1));
  ExpectError(absl::StatusCode::kDataLoss,
              "test_batch.bin is truncated: 9218 bytes found, 9219 expected");
}

TEST_F(ReadCifar10Test, NamesAFileThatIsTooLong) {
  Write(folder_ / "data_batch_5.bin", FileBytes(4) + "x");
  ExpectError(absl::StatusCode::kDataLoss,
              "data_batch_5.bin is too long: 9220 bytes found, 9219 expected at most");
  // More than there is memory; it takes no room on the disk.
  std::filesystem::resize_file(folder_ / "data_batch_5.bin", uint64_t{1} << 43);
  ExpectError(absl::StatusCode::kDataLoss, "data_batch_5.bin is too long: 8796093022208 bytes");
}

TEST_F(ReadCifar10Test, NamesTheRecordWithAWrongLabel) {
  std::string bytes = FileBytes(1);
  bytes[2 * kRecordBytes] = 10;
  Write(folder_ / "data_batch_2.bin", bytes);
  ExpectError(absl::StatusCode::kDataLoss,
              "data_batch_2.bin, record 2 (byte 6146): label 10 found, 0 to 9 expected");
}

TEST_F(ReadCifar10Test, RefusesAFolderInAFilesPlace) {
  std::filesystem::remove(folder_ / "data_batch_4.bin");
  std::filesystem::create_directories(folder_ / "data_batch_4.bin");
  ExpectError(absl::StatusCode::kFailedPrecondition,
              "data_batch_4.bin is a folder, a file was expected");
}

TEST_F(ReadCifar10Test, NamesAFileThatCannotBeRead) {
  std::filesystem::remove(folder_ / "data_batch_1.bin");
  std::filesystem::create_symlink("data_batch_1.bin", folder_ / "data_batch_1.bin");
  const absl::Status status = Read(data_dir_).status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("data_batch_1.bin cannot be read: Too many levels"),
                    HasSubstr("Get cifar-10-binary.tar.gz")));
}

/// The six files in cifar-10-binary.tar.gz alone.
class ReadCifar10ArchiveTest : public ReadCifar10Test {
 protected:
  ReadCifar10ArchiveTest() : archive_(data_dir_ / "cifar-10-binary.tar.gz") {
    std::filesystem::remove_all(folder_);
    Write(archive_, TestGzip(Tar()));
  }

  static std::string Member(int f) {
    return TestTarMember("cifar-10-batches-bin/" + Files()[f], FileBytes(f));
  }

  /// Folder, files in the published archive's order, and what else there is in it.
  static std::string Tar() {
    return TestTarMember("cifar-10-batches-bin/", "", '5') + Member(0) +
           TestTarMember("cifar-10-batches-bin/batches.meta.txt", "airplane\n") + Member(2) +
           Member(3) + Member(5) + TestTarMember("cifar-10-batches-bin/readme.html", "<html>") +
           Member(4) + Member(1) + TestTarEnd();
  }

  std::filesystem::path archive_;
};

TEST_F(ReadCifar10ArchiveTest, GivesWhatTheFolderGives) {
  absl::StatusOr<Cifar10> packed = Read(data_dir_);
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(packed->folder.path, archive_);

  std::filesystem::create_directories(folder_);
  for (int f = 0; f < 6; ++f) Write(folder_ / Files()[f], FileBytes(f));
  absl::StatusOr<Cifar10> unpacked = Read(data_dir_);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_EQ(unpacked->folder.path, folder_) << "the folder is preferred";

  EXPECT_EQ(packed->sha256, unpacked->sha256);
  const auto same = [](const GreyPicture& a, const GreyPicture& b) {
    return a.label == b.label && a.pixels == b.pixels;
  };
  EXPECT_TRUE(std::equal(packed->train.begin(), packed->train.end(), unpacked->train.begin(),
                         unpacked->train.end(), same));
  EXPECT_TRUE(std::equal(packed->test.begin(), packed->test.end(), unpacked->test.begin(),
                         unpacked->test.end(), same));
}

TEST_F(ReadCifar10ArchiveTest, RefusesWhatIsNoGzipFile) {
  Write(archive_, Tar());
  ExpectError(absl::StatusCode::kDataLoss, archive_.string() + " is no gzip file");
  Write(archive_, "");
  ExpectError(absl::StatusCode::kDataLoss, archive_.string() + " is empty");
}

TEST_F(ReadCifar10ArchiveTest, RefusesWhatIsNoTarArchive) {
  Write(archive_, TestGzip(FileBytes(5)));
  ExpectError(absl::StatusCode::kDataLoss, archive_.string() + " is no tar archive");
}

TEST_F(ReadCifar10ArchiveTest, NamesATruncatedArchive) {
  const std::string gzip = TestGzip(Tar());
  Write(archive_, gzip.substr(0, gzip.size() / 2));
  ExpectError(absl::StatusCode::kDataLoss, archive_.string() + " is a truncated gzip file");
  const std::string tar = Tar();
  Write(archive_, TestGzip(tar.substr(0, tar.size() - TestTarEnd().size() - 1024)));
  ExpectError(absl::StatusCode::kDataLoss, archive_.string() + " is a truncated tar archive: ");
}

TEST_F(ReadCifar10ArchiveTest, NamesAMissingMember) {
  for (int missing = 0; missing < 6; ++missing) {
    std::string tar;
    for (int f = 0; f < 6; ++f) {
      if (f != missing) tar += Member(f);
    }
    Write(archive_, TestGzip(tar + TestTarEnd()));
    ExpectError(
        absl::StatusCode::kDataLoss,
        absl::StrCat(archive_.string(), " does not hold cifar-10-batches-bin/", Files()[missing]));
  }
}

TEST_F(ReadCifar10ArchiveTest, NamesTheMemberWithATruncatedRecordOrAWrongLabel) {
  const std::string name = "cifar-10-batches-bin/data_batch_1.bin";
  const std::string file = absl::StrCat(archive_.string(), ", ", name);
  Write(archive_, TestGzip(TestTarMember(name, FileBytes(0).substr(1)) +
                           Tar().substr(512 + Member(0).size())));
  ExpectError(absl::StatusCode::kDataLoss, file + " is truncated: 9218 bytes found, 9219 expected");
  std::string bytes = FileBytes(0);
  bytes[kRecordBytes] = 11;
  Write(archive_, TestGzip(TestTarMember(name, bytes) + Tar().substr(512 + Member(0).size())));
  ExpectError(absl::StatusCode::kDataLoss, file + ", record 1 (byte 3073): label 11 found");
}

TEST_F(ReadCifar10ArchiveTest, NamesAMemberThatIsTooLongByItsHeader) {
  Write(archive_, TestGzip(TestTarMember("cifar-10-batches-bin/test_batch.bin",
                                         std::string(kRecords * kRecordBytes + 1, '\0'))
                               .substr(0, 512)));
  ExpectError(absl::StatusCode::kDataLoss,
              archive_.string() +
                  " holds cifar-10-batches-bin/test_batch.bin, which is too long: "
                  "9220 bytes found, 9219 expected at most");
}

TEST_F(ReadCifar10ArchiveTest, RefusesAFolderInTheArchivesPlace) {
  std::filesystem::remove(archive_);
  std::filesystem::create_directory(archive_);
  ExpectError(absl::StatusCode::kFailedPrecondition, archive_.string() + " is a folder");
}

}  // namespace
}  // namespace spion
