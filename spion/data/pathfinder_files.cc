#include "spion/data/pathfinder_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/formats/npy_text.h"
#include "spion/data/formats/png.h"

namespace spion {
namespace {

constexpr char kMetadataName[] = "metadata";
// Many times what there is: a picture has a kilobyte before it is compressed, a line of metadata
// some 60 bytes.
constexpr int64_t kMetadataBytes = int64_t{1} << 24;
constexpr size_t kLineBytes = 4096;
constexpr size_t kMostPictures = size_t{1} << 20;
constexpr int64_t kPictureBytes = int64_t{1} << 20;
constexpr std::array<const char*, 3> kFolders = {"pathfinder32/curv_contour_length_14",
                                                 "pathfinder/pathfinder32/curv_contour_length_14",
                                                 "curv_contour_length_14"};
constexpr std::array<const char*, 2> kEntries = {kMetadataName, "imgs"};

constexpr char kWayOut[] =
    "Unpack the Long Range Arena release (lra_release.gz, "
    "https://github.com/google-research/long-range-arena) and give the folder that holds "
    "pathfinder32 as the data folder, or give no data folder to use generated pictures";

std::filesystem::path MetadataFile(const std::filesystem::path& folder, int32_t number) {
  return folder / kMetadataName / absl::StrCat(number, ".npy");
}

/// The numbers in the names of the metadata files, in order.
absl::StatusOr<std::vector<int32_t>> MetadataNumbers(const std::filesystem::path& folder) {
  const std::filesystem::path metadata = folder / kMetadataName;
  std::error_code error;
  if (!std::filesystem::exists(metadata, error)) {
    return absl::DataLossError(absl::StrCat("folder ", metadata.string(), " is missing"));
  }
  if (!std::filesystem::is_directory(metadata, error)) {
    return absl::FailedPreconditionError(absl::StrCat(metadata.string(), " is not a folder"));
  }
  std::vector<int32_t> numbers;
  for (std::filesystem::directory_iterator file(metadata, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() != ".npy") continue;
    int32_t number = 0;
    if (!absl::SimpleAtoi(file->path().stem().string(), &number) ||
        MetadataFile(folder, number) != file->path()) {
      return absl::InvalidArgumentError(
          absl::StrCat(file->path().string(), ": a number was expected before .npy, as in 0.npy"));
    }
    numbers.push_back(number);
  }
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat(metadata.string(), " cannot be read"));
  }
  if (numbers.empty()) {
    return absl::DataLossError(absl::StrCat(metadata.string(), " holds no .npy file"));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// The error with the file it is about before it.
absl::Status Of(const std::string& path, const absl::Status& error) {
  return absl::Status(error.code(), absl::StrCat(path, " ", error.message()));
}

absl::StatusOr<PathfinderIndex::Entry> ReadLine(absl::string_view line) {
  if (line.size() > kLineBytes) {
    return absl::DataLossError(absl::StrCat("longer than ", kLineBytes,
                                            " bytes, the most that is expected (are there line "
                                            "ends?)"));
  }
  const std::vector<absl::string_view> fields =
      absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (fields.size() < 4) {
    return absl::DataLossError(
        absl::StrCat(fields.size(),
                     " fields found, at least 4 expected (folder, file, number, "
                     "label): the file is truncated or damaged"));
  }
  if (fields[3] != "0" && fields[3] != "1") {
    return absl::DataLossError(
        absl::StrCat("label \"", fields[3], "\" found in field 4, 0 or 1 expected"));
  }
  return PathfinderIndex::Entry{.picture = absl::StrCat(fields[0], "/", fields[1]),
                                .label = static_cast<uint8_t>(fields[3] == "1"),
                                .metadata = 0,
                                .line = 0};
}

/// Appends a metadata file's lines to the index and its bytes to the index's hash.
absl::Status ReadMetadata(int32_t number, PathfinderIndex& index) {
  const std::string path = MetadataFile(index.folder.path, number).string();
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMetadataBytes));
  index.metadata_hash.Update(text);
  if (IsNpy(text)) {
    absl::StatusOr<std::string> strings = NpyText(text);
    if (!strings.ok()) return Of(path, strings.status());
    text = *std::move(strings);
  }
  if (text.empty()) {
    return absl::DataLossError(absl::StrCat(path, " is empty, lines of metadata were expected"));
  }
  absl::string_view lines = text;
  if (lines.back() == '\n') lines.remove_suffix(1);
  int32_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(lines, '\n')) {
    ++line_number;
    absl::StatusOr<PathfinderIndex::Entry> entry = ReadLine(line);
    if (!entry.ok()) return Of(absl::StrCat(path, ", line ", line_number, ":"), entry.status());
    entry->metadata = number;
    entry->line = line_number;
    if (index.entries.size() == kMostPictures) {
      return absl::DataLossError(
          absl::StrCat(path, ", line ", line_number, ": more than ", kMostPictures,
                       " pictures, the most that is expected of all metadata files together"));
    }
    index.entries.push_back(*std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<PathfinderIndex> ReadIndex(const std::string& data_dir) {
  PathfinderIndex index;
  ASSIGN_OR_RETURN(index.folder, FindDataFolder(data_dir, kFolders, kEntries));
  ASSIGN_OR_RETURN(const std::vector<int32_t> numbers, MetadataNumbers(index.folder.path));
  for (int32_t number : numbers) RETURN_IF_ERROR(MissingIsDataLoss(ReadMetadata(number, index)));
  return index;
}

}  // namespace

absl::StatusOr<PathfinderIndex> ReadPathfinderIndex(const std::string& data_dir) {
  absl::StatusOr<PathfinderIndex> index = ReadIndex(data_dir);
  if (!index.ok()) return WithWayOut(index.status(), kWayOut);
  return index;
}

absl::Status ReadPathfinderPicture(const PathfinderIndex& index, int64_t entry, Sha256& hash,
                                   GreyPicture& picture) {
  const PathfinderIndex::Entry& asked = index.entries[entry];
  const std::string path = absl::StrCat(index.folder.path.string(), "/", asked.picture);
  const auto failed = [&](const absl::Status& error) {
    const std::string asked_by = absl::StrCat(
        MetadataFile(index.folder.path, asked.metadata).string(), ", line ", asked.line);
    return WithWayOut(
        absl::Status(error.code(), absl::StrCat(error.message(), " (named by ", asked_by, ")")),
        kWayOut);
  };
  const absl::StatusOr<std::string> bytes = ReadFile(path, kPictureBytes);
  if (!bytes.ok()) return failed(MissingIsDataLoss(bytes.status()));
  const absl::Status decoded =
      DecodeGreyPng(*bytes, kPictureSide, kPictureSide, absl::MakeSpan(picture.pixels));
  if (!decoded.ok()) return failed(Of(path, decoded));
  hash.Update(*bytes);
  picture.label = asked.label;
  return absl::OkStatus();
}

}  // namespace spion
