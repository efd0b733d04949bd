#include "spion/data/cifar10.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/formats/gzip.h"
#include "spion/data/formats/tar.h"

namespace spion {
namespace {

constexpr char kFolder[] = "cifar-10-batches-bin";
constexpr char kArchive[] = "cifar-10-binary.tar.gz";
constexpr int kRecordsPerFile = 10000;
constexpr size_t kRecordBytes = 1 + 3 * kPicturePixels;
constexpr std::array<const char*, 6> kFiles = {"data_batch_1.bin", "data_batch_2.bin",
                                               "data_batch_3.bin", "data_batch_4.bin",
                                               "data_batch_5.bin", "test_batch.bin"};
constexpr size_t kTrainFiles = 5;  // The first of them.

constexpr char kWayOut[] =
    "Get cifar-10-binary.tar.gz (https://www.cs.toronto.edu/~kriz/cifar.html, \"CIFAR-10 binary "
    "version\", which the Python version in cifar-10-batches-py is not) and give the folder that "
    "it is in, or that it is unpacked in, as the data folder, or give no data folder to use "
    "generated pictures";

size_t FileBytes(int records) { return static_cast<size_t>(records) * kRecordBytes; }

absl::Status CheckSize(absl::string_view path, size_t found, int records) {
  const size_t expected = FileBytes(records);
  if (found == expected) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, found == 0 ? " is empty: " : " is truncated: ", found, " bytes found, ",
                   expected, " expected (", records, " records of ", kRecordBytes, ")"));
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

/// Appends a file's pictures to `pictures` and its bytes to `hash`. `file` is for errors.
absl::Status AddPictures(absl::string_view file, absl::string_view bytes, int records, Sha256& hash,
                         GreyPictures& pictures) {
  RETURN_IF_ERROR(CheckSize(file, bytes.size(), records));
  hash.Update(bytes);
  for (int record = 0; record < records; ++record) {
    const GreyPicture picture = Decode(bytes.substr(record * kRecordBytes, kRecordBytes));
    if (picture.label >= kImageClasses) {
      return absl::DataLossError(
          absl::StrCat(file, ", record ", record, " (byte ", record * kRecordBytes, "): label ",
                       picture.label, " found, 0 to ", kImageClasses - 1,
                       " expected; the file is damaged or not CIFAR-10's binary version"));
    }
    pictures.push_back(picture);
  }
  return absl::OkStatus();
}

/// A file's content, and what to call the file in errors.
struct Content {
  std::string file;
  std::string bytes;
};

/// What is read from `folder`, where `content` gives the content of each of kFiles by its index.
absl::StatusOr<Cifar10> ReadFiles(const DataFolder& folder, int records_per_file,
                                  absl::FunctionRef<absl::StatusOr<Content>(size_t f)> content) {
  Cifar10 cifar;
  cifar.folder = folder;
  cifar.train.reserve(kTrainFiles * records_per_file);
  cifar.test.reserve(records_per_file);
  Sha256 hash;
  for (size_t f = 0; f < kFiles.size(); ++f) {
    ASSIGN_OR_RETURN(const Content file, content(f));
    RETURN_IF_ERROR(AddPictures(file.file, file.bytes, records_per_file, hash,
                                f < kTrainFiles ? cifar.train : cifar.test));
  }
  cifar.sha256 = hash.HexDigest();
  return cifar;
}

absl::StatusOr<Cifar10> ReadFolder(const DataFolder& folder, int records_per_file) {
  return ReadFiles(folder, records_per_file, [&](size_t f) -> absl::StatusOr<Content> {
    const std::string file = folder.path / kFiles[f];
    absl::StatusOr<std::string> bytes = ReadFile(file, FileBytes(records_per_file));
    if (!bytes.ok()) return MissingIsDataLoss(bytes.status());
    return Content{.file = file, .bytes = *std::move(bytes)};
  });
}

// The archive has the files in another order than we hash them in, so all are unpacked first.
absl::StatusOr<Cifar10> ReadArchive(const std::string& archive, int records_per_file) {
  std::array<std::string, kFiles.size()> names;
  std::array<std::optional<std::string>, kFiles.size()> contents;
  for (size_t f = 0; f < kFiles.size(); ++f) names[f] = absl::StrCat(kFolder, "/", kFiles[f]);
  TarReader tar([&](absl::string_view name) -> TarReader::Wanted {
    const size_t f = std::find(names.begin(), names.end(), name) - names.begin();
    if (f == names.size()) return {};
    return {.content = &contents[f].emplace(),
            .most_bytes = static_cast<int64_t>(FileBytes(records_per_file))};
  });
  const auto in_archive = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat(archive, " ", status.message()));
  };
  RETURN_IF_ERROR(ReadGzipPieces(archive, [&](absl::string_view piece) {
    const absl::Status status = tar.Take(piece);
    return status.ok() ? status : in_archive(status);
  }));
  if (const absl::Status status = tar.Finish(); !status.ok()) return in_archive(status);
  return ReadFiles(
      {.path = archive, .passed_over = {}}, records_per_file,
      [&](size_t f) -> absl::StatusOr<Content> {
        Content content = {.file = absl::StrCat(archive, ", ", names[f]), .bytes = ""};
        if (!contents[f].has_value()) {
          return absl::DataLossError(absl::StrCat(archive, " does not hold ", names[f]));
        }
        content.bytes = *std::move(contents[f]);
        contents[f].reset();
        return content;
      });
}

absl::StatusOr<Cifar10> Read(const std::string& data_dir, int records_per_file) {
  const absl::StatusOr<DataFolder> folder = FindDataFolder(data_dir, {kFolder}, kFiles);
  const std::filesystem::path archive = std::filesystem::path(data_dir) / kArchive;
  std::error_code ignored;  // A path that cannot be looked at counts as not there.
  if (absl::IsNotFound(folder.status()) && std::filesystem::exists(archive, ignored)) {
    return ReadArchive(archive.string(), records_per_file);
  }
  if (!folder.ok()) return folder.status();
  return ReadFolder(*folder, records_per_file);
}

}  // namespace

absl::StatusOr<Cifar10> ReadCifar10(const std::string& data_dir) {
  return internal::ReadCifar10Files(data_dir, kRecordsPerFile);
}

namespace internal {

absl::StatusOr<Cifar10> ReadCifar10Files(const std::string& data_dir, int records_per_file) {
  absl::StatusOr<Cifar10> cifar = Read(data_dir, records_per_file);
  if (!cifar.ok()) return WithWayOut(cifar.status(), kWayOut);
  return cifar;
}

}  // namespace internal
}  // namespace spion
