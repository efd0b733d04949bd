#include "spion/data/cifar10.h"

#include <array>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"

namespace spion {
namespace {

constexpr int kRecordsPerFile = 10000;
constexpr size_t kRecordBytes = 1 + 3 * kPicturePixels;
constexpr std::array<const char*, 6> kFiles = {"data_batch_1.bin", "data_batch_2.bin",
                                               "data_batch_3.bin", "data_batch_4.bin",
                                               "data_batch_5.bin", "test_batch.bin"};
constexpr size_t kTrainFiles = 5;  // The first of them.

constexpr char kWayOut[] =
    "Unpack cifar-10-binary.tar.gz (https://www.cs.toronto.edu/~kriz/cifar.html, \"CIFAR-10 binary "
    "version\") and give the folder that holds cifar-10-batches-bin as the data folder, or give no "
    "data folder to use generated pictures";

/// The same error with the way out at its end.
absl::Status WithWayOut(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(status.message(), ". ", kWayOut, "."));
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

absl::StatusOr<Cifar10> Read(const std::string& data_dir, int records_per_file) {
  ASSIGN_OR_RETURN(const std::filesystem::path folder,
                   FindDataFolder(data_dir, "cifar-10-batches-bin", kFiles));
  Cifar10 cifar;
  cifar.folder = folder.string();
  cifar.train.reserve(kTrainFiles * records_per_file);
  cifar.test.reserve(records_per_file);
  Sha256 hash;
  for (size_t f = 0; f < kFiles.size(); ++f) {
    RETURN_IF_ERROR(ReadPictures(folder / kFiles[f], records_per_file, hash,
                                 f < kTrainFiles ? cifar.train : cifar.test));
  }
  cifar.sha256 = hash.HexDigest();
  return cifar;
}

}  // namespace

absl::StatusOr<Cifar10> ReadCifar10(const std::string& data_dir) {
  return internal::ReadCifar10Files(data_dir, kRecordsPerFile);
}

namespace internal {

absl::StatusOr<Cifar10> ReadCifar10Files(const std::string& data_dir, int records_per_file) {
  absl::StatusOr<Cifar10> cifar = Read(data_dir, records_per_file);
  if (!cifar.ok()) return WithWayOut(cifar.status());
  return cifar;
}

}  // namespace internal
}  // namespace spion
