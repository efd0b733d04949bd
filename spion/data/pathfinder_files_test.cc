#include "spion/data/pathfinder_files.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "spion/base/sha256.h"
#include "spion/data/formats/write_test_png.h"

namespace spion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// All pixels of one grey, but for a last one of 255 - grey.
std::string Png(int grey) {
  std::vector<uint8_t> pixels(1024, static_cast<uint8_t>(grey));
  pixels.back() = static_cast<uint8_t>(255 - grey);
  return TestPng({.width = 32, .height = 32, .pixels = pixels});
}

// As the release writes them: after the label come the drawing's parameters.
constexpr char kMetadata2[] =
    "imgs/2 sample_0.png 0 1 1.2 14 5 3\nimgs/2 sample_1.png 1 0 1.2 14\n";
constexpr char kMetadata10[] = "imgs/10 sample_0.png 0 0 1.2 14 5 3\n";

class PathfinderFilesTest : public testing::Test {
 protected:
  // The files' order by name (10 before 2) is not their order by number.
  PathfinderFilesTest() {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    data_dir_ = std::filesystem::path(testing::TempDir()) / absl::StrCat("pf_", test->name());
    std::filesystem::remove_all(data_dir_);
    folder_ = data_dir_ / "pathfinder32" / "curv_contour_length_14";
    Write(folder_ / "metadata" / "2.npy", kMetadata2);
    Write(folder_ / "metadata" / "10.npy", kMetadata10);
    Write(folder_ / "imgs" / "2" / "sample_0.png", Png(20));
    Write(folder_ / "imgs" / "2" / "sample_1.png", Png(21));
    Write(folder_ / "imgs" / "10" / "sample_0.png", Png(100));
  }

  /// Writes metadata/2.npy and expects this error of reading it, and the way out.
  void ExpectMetadataError(const std::string& bytes, absl::StatusCode code,
                           const std::string& words) const {
    Write(folder_ / "metadata" / "2.npy", bytes);
    ExpectIndexError(code, absl::StrCat((folder_ / "metadata" / "2.npy").string(), words));
  }

  void ExpectIndexError(absl::StatusCode code, const std::string& words) const {
    const absl::Status status = ReadPathfinderIndex(data_dir_.string()).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(words), HasSubstr("Unpack the Long Range Arena release"),
                      HasSubstr("to use generated pictures.")));
  }

  /// Expects this error of reading sample_1.png, the line that names it, and the way out.
  void ExpectPictureError(absl::StatusCode code, const std::string& words) const {
    const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
    ASSERT_TRUE(index.ok()) << index.status();
    Sha256 hash;
    GreyPicture picture;
    const absl::Status status = ReadPathfinderPicture(*index, 1, hash, picture);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(absl::StrCat(Picture().string(), words)),
                      HasSubstr("metadata/2.npy, line 2"), HasSubstr("Unpack the Long Range")));
  }

  std::filesystem::path Picture() const { return folder_ / "imgs" / "2" / "sample_1.png"; }

  std::filesystem::path data_dir_;
  std::filesystem::path folder_;
};

TEST_F(PathfinderFilesTest, ReadsMetadataByNumberAndThePicturesThatItNames) {
  const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_EQ(index->folder.path, folder_);
  ASSERT_EQ(index->entries.size(), 3u);
  const int greys[] = {20, 21, 100};
  const int labels[] = {1, 0, 0};
  Sha256 hash = index->metadata_hash;
  for (int i = 0; i < 3; ++i) {
    GreyPicture picture;
    const absl::Status status = ReadPathfinderPicture(*index, i, hash, picture);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(picture.label, labels[i]);
    EXPECT_EQ(picture.pixels.front(), greys[i]);
    EXPECT_EQ(picture.pixels.back(), 255 - greys[i]);
  }
  EXPECT_EQ(hash.HexDigest(),
            Sha256OfBytes(absl::StrCat(kMetadata2, kMetadata10, Png(20), Png(21), Png(100))));
}

TEST_F(PathfinderFilesTest, OrdersMetadataByNumberWhateverTheFolderSays) {
  for (int number : {30, 7, 21, 0, 11, 100, 4, 3, 19, 1}) {
    Write(folder_ / "metadata" / absl::StrCat(number, ".npy"), kMetadata10);
  }
  const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
  ASSERT_TRUE(index.ok()) << index.status();
  std::vector<int> numbers;
  for (const PathfinderIndex::Entry& entry : index->entries) numbers.push_back(entry.metadata);
  EXPECT_THAT(numbers, ElementsAre(0, 1, 2, 2, 3, 4, 7, 10, 11, 19, 21, 30, 100));
}

TEST_F(PathfinderFilesTest, TakesTheFoldersInsideToo) {
  for (const auto& data_dir : {data_dir_ / "pathfinder32", folder_}) {
    const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir.string());
    ASSERT_TRUE(index.ok()) << index.status();
    EXPECT_EQ(index->folder.path, folder_);
    EXPECT_EQ(index->entries.size(), 3u);
  }
}

TEST_F(PathfinderFilesTest, FindsTheFoldersThatPeopleHave) {
  std::filesystem::path has_it = data_dir_ / "pathfinder32";
  for (const char* name : {"pathfinder/pathfinder32", "lra_release/pathfinder32",
                           "lra_release/lra_release/pathfinder32"}) {
    std::filesystem::create_directories((data_dir_ / name).parent_path());
    std::filesystem::rename(has_it, data_dir_ / name);
    has_it = data_dir_ / name;
    const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
    ASSERT_TRUE(index.ok()) << index.status();
    EXPECT_EQ(index->folder.path, has_it / "curv_contour_length_14");
    EXPECT_EQ(index->entries.size(), 3u);
  }
}

TEST_F(PathfinderFilesTest, TakesWindowsLineEndsAndNoEndAtTheLastLine) {
  Write(folder_ / "metadata" / "2.npy", "imgs/2 sample_0.png 0 1\r\nimgs/2 sample_1.png 1 0");
  const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
  ASSERT_TRUE(index.ok()) << index.status();
  ASSERT_EQ(index->entries.size(), 3u);
  EXPECT_EQ(index->entries[0].label, 1);
  EXPECT_EQ(index->entries[1].label, 0);
}

// What numpy.save writes of numpy.array([["imgs/2", "sample_1.png", "1", "0"]], dtype="S12").
TEST_F(PathfinderFilesTest, TakesArraysOfStrings) {
  std::string header = "{'descr': '|S12', 'fortran_order': False, 'shape': (1, 4), }";
  header.append(117 - header.size(), ' ').push_back('\n');
  std::string data;
  for (std::string field : {"imgs/2", "sample_1.png", "1", "0"}) {
    field.resize(12);
    data += field;
  }
  Write(folder_ / "metadata" / "2.npy", std::string("\x93NUMPY\x01\0\x76\0", 10) + header + data);
  const absl::StatusOr<PathfinderIndex> index = ReadPathfinderIndex(data_dir_.string());
  ASSERT_TRUE(index.ok()) << index.status();
  ASSERT_EQ(index->entries.size(), 2u);
  EXPECT_EQ(index->entries[0].picture, "imgs/2/sample_1.png");
  EXPECT_EQ(index->entries[0].label, 0);
}

TEST_F(PathfinderFilesTest, LeavesOtherFilesBesideTheMetadataAlone) {
  Write(folder_ / "metadata" / "README.txt", "x");
  EXPECT_TRUE(ReadPathfinderIndex(data_dir_.string()).ok());
}

TEST_F(PathfinderFilesTest, NamesAMissingDataFolder) {
  std::filesystem::remove_all(data_dir_);
  ExpectIndexError(absl::StatusCode::kNotFound,
                   absl::StrCat("data folder ", data_dir_.string(), " is missing"));
}

TEST_F(PathfinderFilesTest, RefusesAFileAsDataFolder) {
  std::filesystem::remove_all(data_dir_);
  Write(data_dir_, "x");
  ExpectIndexError(absl::StatusCode::kFailedPrecondition, data_dir_.string() + " is not a folder");
}

TEST_F(PathfinderFilesTest, SaysWhenTheDataFolderHasNoneOfIt) {
  std::filesystem::remove_all(data_dir_ / "pathfinder32");
  ExpectIndexError(absl::StatusCode::kNotFound, "none of metadata, imgs is in");
}

TEST_F(PathfinderFilesTest, SaysWhenThePathsOfFourteenDashesAreMissing) {
  std::filesystem::rename(folder_, folder_.parent_path() / "curv_contour_length_9");
  ExpectIndexError(absl::StatusCode::kNotFound,
                   "in a folder pathfinder32/curv_contour_length_14 or");
}

TEST_F(PathfinderFilesTest, NamesAMissingMetadataFolder) {
  std::filesystem::remove_all(folder_ / "metadata");
  ExpectIndexError(absl::StatusCode::kDataLoss,
                   absl::StrCat("folder ", (folder_ / "metadata").string(), " is missing"));
}

TEST_F(PathfinderFilesTest, RefusesAFileInTheMetadataFoldersPlace) {
  std::filesystem::remove_all(folder_ / "metadata");
  Write(folder_ / "metadata", "x");
  ExpectIndexError(absl::StatusCode::kFailedPrecondition, "/metadata is not a folder");
}

TEST_F(PathfinderFilesTest, NamesAMetadataFolderWithNothingInIt) {
  std::filesystem::remove(folder_ / "metadata" / "2.npy");
  std::filesystem::remove(folder_ / "metadata" / "10.npy");
  ExpectIndexError(absl::StatusCode::kDataLoss, "/metadata holds no .npy file");
}

TEST_F(PathfinderFilesTest, RefusesMetadataFilesThatAreNotNumbered) {
  for (const char* name : {"02.npy", "all.npy"}) {
    Write(folder_ / "metadata" / name, kMetadata2);
    ExpectIndexError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(name, ": a number was expected before .npy"));
    std::filesystem::remove(folder_ / "metadata" / name);
  }
}

TEST_F(PathfinderFilesTest, RefusesAFolderInAMetadataFilesPlace) {
  std::filesystem::create_directory(folder_ / "metadata" / "3.npy");
  ExpectIndexError(absl::StatusCode::kFailedPrecondition, "3.npy is a folder, a file was expected");
}

TEST_F(PathfinderFilesTest, NamesAnEmptyMetadataFile) {
  ExpectMetadataError("", absl::StatusCode::kDataLoss,
                      " is empty, lines of metadata were expected");
}

TEST_F(PathfinderFilesTest, NamesTheLineWithTooFewFields) {
  ExpectMetadataError("imgs/2 sample_0.png 0 1\nimgs/2 sample_1.png 1\n",
                      absl::StatusCode::kDataLoss, ", line 2: 3 fields found, at least 4 expected");
  ExpectMetadataError("imgs/2 sample_0.png 0 1\n\nimgs/2 sample_1.png 1 0\n",
                      absl::StatusCode::kDataLoss, ", line 2: 0 fields found");
}

TEST_F(PathfinderFilesTest, NamesTheLineWithAWrongLabel) {
  for (const std::string label : {"2", "-1", "1.0", "yes", "01"}) {
    ExpectMetadataError(absl::StrCat("imgs/2 sample_0.png 0 ", label, " 1.2\n"),
                        absl::StatusCode::kDataLoss,
                        absl::StrCat(", line 1: label \"", label, "\" found in field 4, 0 or 1"));
  }
}

TEST_F(PathfinderFilesTest, RefusesArraysOfOtherThings) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4), }";
  header.append(117 - header.size(), ' ').push_back('\n');
  ExpectMetadataError(std::string("\x93NUMPY\x01\0\x76\0", 10) + header + std::string(32, '\0'),
                      absl::StatusCode::kInvalidArgument, " is a NumPy array of type '<f8'");
}

TEST_F(PathfinderFilesTest, NamesMetadataThatCannotBeRead) {
  std::filesystem::create_symlink("3.npy", folder_ / "metadata" / "3.npy");
  const absl::Status status = ReadPathfinderIndex(data_dir_.string()).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("3.npy cannot be read: Too many levels"));
}

TEST_F(PathfinderFilesTest, SaysWhenReadingIsNotPermitted) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(Picture(), std::filesystem::perms::none);
  ExpectPictureError(absl::StatusCode::kPermissionDenied, " cannot be opened");
  std::filesystem::permissions(folder_ / "metadata", std::filesystem::perms::none);
  const absl::Status status = ReadPathfinderIndex(data_dir_.string()).status();
  std::filesystem::permissions(folder_ / "metadata", std::filesystem::perms::owner_all);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/metadata cannot be read"));
}

TEST_F(PathfinderFilesTest, NamesAMissingPicture) {
  std::filesystem::remove(Picture());
  ExpectPictureError(absl::StatusCode::kDataLoss, " is missing");
}

TEST_F(PathfinderFilesTest, RefusesAFolderInAPicturesPlace) {
  std::filesystem::remove(Picture());
  std::filesystem::create_directory(Picture());
  ExpectPictureError(absl::StatusCode::kFailedPrecondition, " is a folder, a file was expected");
}

TEST_F(PathfinderFilesTest, NamesAPictureThatIsTooLong) {
  // More than there is memory; it takes no room on the disk.
  std::filesystem::resize_file(Picture(), uint64_t{1} << 43);
  ExpectPictureError(absl::StatusCode::kDataLoss, " is too long: 8796093022208 bytes found");
}

TEST_F(PathfinderFilesTest, NamesMetadataThatIsTooLong) {
  ExpectMetadataError("imgs/2 sample_0.png 0 1\n" + std::string(4097, 'x'),
                      absl::StatusCode::kDataLoss, ", line 2: longer than 4096 bytes");
  std::filesystem::resize_file(folder_ / "metadata" / "2.npy", uint64_t{1} << 43);
  ExpectIndexError(absl::StatusCode::kDataLoss, "metadata/2.npy is too long: 8796093022208 bytes");
}

TEST_F(PathfinderFilesTest, RefusesMorePicturesThanAnybodyHas) {
  std::string lines;
  for (int line = 0; line < 1'000'000; ++line) lines += "a b 0 1\n";
  Write(folder_ / "metadata" / "2.npy", lines);
  ASSERT_TRUE(ReadPathfinderIndex(data_dir_.string()).ok());
  Write(folder_ / "metadata" / "3.npy", lines);
  ExpectIndexError(absl::StatusCode::kDataLoss, "metadata/3.npy, line 48577: more than 1048576");
}

TEST_F(PathfinderFilesTest, NamesAPictureThatIsNoPng) {
  Write(Picture(), "");
  ExpectPictureError(absl::StatusCode::kDataLoss, " is empty, a PNG was expected");
  Write(Picture(), "GIF89a, and more than a signature's length");
  ExpectPictureError(absl::StatusCode::kDataLoss, " is no PNG");
}

TEST_F(PathfinderFilesTest, NamesATruncatedPicture) {
  const std::string png = Png(21);
  Write(Picture(), png.substr(0, png.size() / 2));
  ExpectPictureError(absl::StatusCode::kDataLoss, " is a damaged PNG: the file ends too early");
}

TEST_F(PathfinderFilesTest, NamesAPictureOfAnotherSize) {
  Write(Picture(), TestPng({.width = 64, .height = 64, .pixels = std::vector<uint8_t>(4096)}));
  ExpectPictureError(absl::StatusCode::kInvalidArgument, " is a PNG of 64 x 64 pixels, 32 x 32");
}

TEST_F(PathfinderFilesTest, NamesAPictureOfAnotherColourType) {
  Write(Picture(), TestPng({.width = 32,
                            .height = 32,
                            .colour = TestPngColour::kRgb,
                            .pixels = std::vector<uint8_t>(3072)}));
  ExpectPictureError(absl::StatusCode::kInvalidArgument, " is a PNG of 8-bit RGB pixels");
}

}  // namespace
}  // namespace spion
