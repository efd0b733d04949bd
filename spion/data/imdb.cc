#include "spion/data/imdb.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/document.h"

namespace spion {
namespace {

constexpr int kReviewsPerFolder = 12500;
// Far more than any review has.
constexpr int64_t kReviewBytes = int64_t{1} << 20;
constexpr std::array<const char*, 2> kFolders = {"aclImdb", "imdb/aclImdb"};
constexpr std::array<const char*, 4> kEntries = {"train/neg", "train/pos", "test/neg", "test/pos"};
constexpr std::array<const char*, 2> kLabelFolders = {"neg", "pos"};  // By label.

constexpr char kWayOut[] =
    "Unpack aclImdb_v1.tar.gz (https://ai.stanford.edu/~amaas/data/sentiment/) and give the folder "
    "that holds aclImdb as the data folder, or give no data folder to use generated reviews";

struct ReviewFile {
  uint32_t id;
  std::string path;
};

/// The ID in "ID_RATING.txt"; false if the name is another.
bool ParseName(absl::string_view name, uint32_t& id) {
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::StripSuffix(name, ".txt"), '_');
  uint32_t rating;
  return parts.size() == 2 && absl::SimpleAtoi(parts[0], &id) &&
         absl::SimpleAtoi(parts[1], &rating);
}

absl::Status CheckReviews(const std::string& folder, const std::vector<ReviewFile>& files,
                          int expected) {
  const auto twice =
      std::adjacent_find(files.begin(), files.end(),
                         [](const ReviewFile& a, const ReviewFile& b) { return a.id == b.id; });
  if (twice != files.end()) {
    return absl::DataLossError(absl::StrCat(twice->path, " and ", (twice + 1)->path,
                                            " have the same ID, one review for each was expected"));
  }
  if (static_cast<int>(files.size()) == expected) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(folder,
                   files.empty()                               ? " has no review: "
                   : static_cast<int>(files.size()) < expected ? " is not complete: "
                                                               : " has too many: ",
                   files.size(), " files ID_RATING.txt found, ", expected, " expected"));
}

/// The reviews in `folder` by ID.
absl::StatusOr<std::vector<ReviewFile>> ListReviews(const std::string& folder, int expected) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    return absl::DataLossError(absl::StrCat("folder ", folder, " is missing"));
  }
  if (!std::filesystem::is_directory(folder, error)) {
    return absl::FailedPreconditionError(absl::StrCat(folder, " is not a folder"));
  }
  std::vector<ReviewFile> files;
  files.reserve(expected);
  std::filesystem::directory_iterator entry(folder, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    ReviewFile file = {.id = 0, .path = entry->path().string()};
    const absl::string_view name = absl::string_view(file.path).substr(folder.size() + 1);
    if (!absl::EndsWith(name, ".txt")) continue;
    if (!ParseName(name, file.id)) {
      return absl::DataLossError(absl::StrCat(
          file.path, " is not named ID_RATING.txt, as reviews are; move it elsewhere"));
    }
    files.push_back(std::move(file));
    // Enough to see two of one ID; then the rest of what may be millions does not matter.
    if (files.size() > 2 * static_cast<size_t>(expected)) {
      return absl::DataLossError(absl::StrCat(folder, " has too many: more than ", 2 * expected,
                                              " files ID_RATING.txt found, ", expected,
                                              " expected"));
    }
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat(folder, " cannot be read"));
  std::sort(files.begin(), files.end(), [](const ReviewFile& a, const ReviewFile& b) {
    return std::pair(a.id, absl::string_view(a.path)) < std::pair(b.id, absl::string_view(b.path));
  });
  RETURN_IF_ERROR(CheckReviews(folder, files, expected));
  return files;
}

/// Appends the reviews below `folder` to `split` and their bytes to `hash`.
absl::Status ReadReviews(const std::filesystem::path& folder, int reviews_per_folder, Sha256& hash,
                         Split& split) {
  std::array<std::vector<ReviewFile>, kLabelFolders.size()> files;
  for (size_t label = 0; label < files.size(); ++label) {
    ASSIGN_OR_RETURN(files[label], ListReviews(folder / kLabelFolders[label], reviews_per_folder));
  }
  split.Reserve(static_cast<int64_t>(files.size()) * reviews_per_folder);
  std::string review;
  std::vector<std::string> names;  // Of the examples.
  for (int i = 0; i < reviews_per_folder; ++i) {
    for (size_t label = 0; label < files.size(); ++label) {
      const std::string& path = files[label][i].path;
      RETURN_IF_ERROR(ReadFileInto(path, review, kReviewBytes));
      if (review.empty()) {
        return absl::DataLossError(absl::StrCat(path, " is empty, a review was expected"));
      }
      hash.Update(review);
      split.AddExample({DocumentBytes(review)}, static_cast<int32_t>(label));
      names.push_back(path);
    }
  }
  split.NameExamples([names = std::move(names)](int64_t example) { return names[example]; });
  return absl::OkStatus();
}

absl::StatusOr<Imdb> Read(const std::string& data_dir, int reviews_per_folder) {
  ASSIGN_OR_RETURN(const DataFolder folder, FindDataFolder(data_dir, kFolders, kEntries));
  Imdb imdb = {.train = Split(DocumentShape(1)),
               .test = Split(DocumentShape(1)),
               .folder = folder,
               .sha256 = ""};
  Sha256 hash;
  RETURN_IF_ERROR(ReadReviews(folder.path / "train", reviews_per_folder, hash, imdb.train));
  RETURN_IF_ERROR(ReadReviews(folder.path / "test", reviews_per_folder, hash, imdb.test));
  imdb.sha256 = hash.HexDigest();
  return imdb;
}

}  // namespace

absl::StatusOr<Imdb> ReadImdb(const std::string& data_dir) {
  return internal::ReadImdbFolders(data_dir, kReviewsPerFolder);
}

namespace internal {

absl::StatusOr<Imdb> ReadImdbFolders(const std::string& data_dir, int reviews_per_folder) {
  absl::StatusOr<Imdb> imdb = Read(data_dir, reviews_per_folder);
  if (!imdb.ok()) return WithWayOut(imdb.status(), kWayOut);
  return imdb;
}

}  // namespace internal
}  // namespace spion
