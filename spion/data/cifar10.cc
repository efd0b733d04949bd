#include "spion/data/cifar10.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/load_error.h"

namespace spion {
namespace {

constexpr int kRecordsPerFile = 10000;
constexpr size_t kRecordBytes = 1 + 3 * kPicturePixels;
constexpr char kFolderName[] = "cifar-10-batches-bin";
constexpr char kTestFile[] = "test_batch.bin";
constexpr std::array<const char*, 5> kTrainFiles = {"data_batch_1.bin", "data_batch_2.bin",
                                                    "data_batch_3.bin", "data_batch_4.bin",
                                                    "data_batch_5.bin"};

constexpr char kWayOut[] =
    "Unpack cifar-10-binary.tar.gz (https://www.cs.toronto.edu/~kriz/cifar.html, \"CIFAR-10 binary "
    "version\") and give the folder that holds cifar-10-batches-bin as the data folder, or give no "
    "data folder to use generated pictures";

/// The folder with the six files: data_dir/cifar-10-batches-bin if that is there, else data_dir, if
/// it has that name or one of the files.
absl::StatusOr<std::filesystem::path> FindFolder(const std::filesystem::path& data_dir) {
  std::error_code ignored;  // A path that cannot be looked at counts as not there.
  const auto is_folder = [&](const std::filesystem::path& path) {
    return std::filesystem::is_directory(path, ignored);
  };
  if (!std::filesystem::exists(data_dir, ignored)) {
    return absl::NotFoundError(absl::StrCat("data folder ", data_dir.string(), " is missing"));
  }
  if (!is_folder(data_dir)) {
    return absl::FailedPreconditionError(
        absl::StrCat("data folder ", data_dir.string(), " is not a folder"));
  }
  const std::filesystem::path inner = data_dir / kFolderName;
  if (is_folder(inner)) return inner;
  if (std::filesystem::exists(inner, ignored)) {
    return absl::FailedPreconditionError(absl::StrCat(inner.string(), " is not a folder"));
  }
  const auto is_here = [&](const char* file) {
    return std::filesystem::exists(data_dir / file, ignored);
  };
  if (is_here(kTestFile) || std::any_of(kTrainFiles.begin(), kTrainFiles.end(), is_here) ||
      data_dir.filename() == kFolderName) {
    return data_dir;
  }
  return absl::NotFoundError(
      absl::StrCat("neither a folder ", kFolderName, " nor its files are in ", data_dir.string()));
}

absl::Status CheckSize(const std::string& path, size_t found, int records) {
  const size_t expected = static_cast<size_t>(records) * kRecordBytes;
  if (found == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path,
                                          found == 0         ? " is empty: "
                                          : found < expected ? " is truncated: "
                                                             : " is too long: ",
                                          found, " bytes found, ", expected, " expected (", records,
                                          " records of ", kRecordBytes, ")"));
}

/// One record of kRecordBytes bytes.
GreyPicture Decode(absl::string_view record) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(record.data());
  GreyPicture picture;
  picture.label = bytes[0];
  const uint8_t* red = bytes + 1;
  const uint8_t* green = red + kPicturePixels;
  const uint8_t* blue = green + kPicturePixels;
  for (int i = 0; i < kPicturePixels; ++i) {
    picture.pixels[i] = GreyOf(red[i], green[i], blue[i]);
  }
  return picture;
}

/// Appends a file's pictures to `pictures` and its bytes to `hash`.
absl::Status ReadPictures(const std::string& path, int records, Sha256& hash,
                          GreyPictures& pictures) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  RETURN_IF_ERROR(CheckSize(path, bytes.size(), records));
  hash.Update(bytes);
  for (int record = 0; record < records; ++record) {
    const GreyPicture picture =
        Decode(absl::string_view(bytes).substr(record * kRecordBytes, kRecordBytes));
    if (picture.label >= kImageClasses) {
      return absl::DataLossError(
          absl::StrCat(path, ", record ", record, " (byte ", record * kRecordBytes, "): label ",
                       picture.label, " found, 0 to ", kImageClasses - 1,
                       " expected; the file is damaged or not CIFAR-10's binary version"));
    }
    pictures.push_back(picture);
  }
  return absl::OkStatus();
}

absl::StatusOr<Cifar10> Read(const std::filesystem::path& folder, int records_per_file) {
  Cifar10 cifar;
  cifar.folder = folder.string();
  cifar.train.reserve(kTrainFiles.size() * records_per_file);
  cifar.test.reserve(records_per_file);
  Sha256 hash;
  for (const char* file : kTrainFiles) {
    RETURN_IF_ERROR(ReadPictures(folder / file, records_per_file, hash, cifar.train));
  }
  RETURN_IF_ERROR(ReadPictures(folder / kTestFile, records_per_file, hash, cifar.test));
  cifar.sha256 = hash.HexDigest();
  return cifar;
}

}  // namespace

absl::StatusOr<Cifar10> ReadCifar10(const std::string& data_dir) {
  return internal::ReadCifar10Files(data_dir, kRecordsPerFile);
}

namespace internal {

absl::StatusOr<Cifar10> ReadCifar10Files(const std::string& data_dir, int records_per_file) {
  const absl::StatusOr<std::filesystem::path> folder = FindFolder(data_dir);
  if (!folder.ok()) return WithWayOut(folder.status(), kWayOut);
  absl::StatusOr<Cifar10> cifar = Read(*folder, records_per_file);
  if (!cifar.ok()) return WithWayOut(AsDamage(cifar.status()), kWayOut);
  return cifar;
}

}  // namespace internal
}  // namespace spion
