#include "spion/data/aan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/read_file.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/document.h"

namespace spion {
namespace {

constexpr std::array<const char*, 3> kFolders = {"tsv_data", "aan", "matching"};
constexpr std::array<const char*, 3> kFiles = {"new_aan_pairs.train.tsv", "new_aan_pairs.eval.tsv",
                                               "new_aan_pairs.test.tsv"};

constexpr char kWayOut[] =
    "Unpack lra_release.gz (https://github.com/google-research/long-range-arena) and give the "
    "folder that it is unpacked in as the data folder, or give no data folder to use generated "
    "documents";

/// One line, put together from pieces; of each column only the beginning that matters is kept.
class Line {
 public:
  static constexpr int kColumns = 5;

  /// Appends a part of the line, without its LF.
  void Append(absl::string_view part) {
    begun_ = true;
    for (;;) {
      const size_t tab = part.find('\t');
      if (columns_ <= kColumns) {
        std::string& column = column_[columns_ - 1];
        const absl::string_view text = part.substr(0, tab);
        const size_t room = kKept[columns_ - 1] - column.size();
        column.append(text.data(), std::min(text.size(), room));
      }
      if (tab == absl::string_view::npos) return;
      ++columns_;
      part.remove_prefix(tab + 1);
    }
  }

  /// Takes the CR of a Windows line end off.
  void End() {
    if (columns_ > kColumns) return;
    std::string& last = column_[columns_ - 1];
    if (!last.empty() && last.back() == '\r') last.pop_back();
  }

  void Clear() {
    for (std::string& column : column_) column.clear();
    columns_ = 1;
    begun_ = false;
  }

  bool begun() const { return begun_; }
  int columns() const { return columns_; }
  absl::string_view label() const { return column_[0]; }
  absl::string_view text1() const { return column_[3]; }
  absl::string_view text2() const { return column_[4]; }

 private:
  // Two bytes more than a document has: one that shows that it is cut, and the CR of a line's end.
  static constexpr size_t kText = kDocumentBytes + 2;
  // Of a label enough for an error to quote; of the ids nothing.
  static constexpr std::array<size_t, kColumns> kKept = {40, 0, 0, kText, kText};

  std::array<std::string, kColumns> column_;
  int columns_ = 1;  // So far; may grow beyond kColumns.
  bool begun_ = false;
};

/// Makes examples of a file's pieces.
class PairParser {
 public:
  PairParser(const std::string& path, Split& split) : path_(path), split_(split) {}

  absl::Status Take(absl::string_view piece) {
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      line_.Append(piece.substr(0, end));
      if (end == absl::string_view::npos) break;
      RETURN_IF_ERROR(EndLine());
      piece.remove_prefix(end + 1);
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (line_.begun()) RETURN_IF_ERROR(EndLine());
    if (line_number_ == 0) {
      return absl::DataLossError(
          absl::StrCat(path_, " is empty, a pair of documents a line was expected"));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Error(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(path_, ", line ", line_number_, ": ", what));
  }

  absl::Status EndLine() {
    ++line_number_;
    line_.End();
    if (line_.columns() != Line::kColumns) {
      return Error(absl::StrCat(
          line_.columns() == 1 ? "no tab" : absl::StrCat(line_.columns(), " columns"), " found, ",
          Line::kColumns, " columns expected: label, id1, id2, text1, text2, with tabs between"));
    }
    const absl::string_view label = line_.label();
    const bool related = label == "1" || label == "1.0";
    if (!related && label != "0" && label != "0.0") {
      return Error(absl::StrCat("label \"", absl::CHexEscape(label),
                                "\" found, 0 or 1 (or 0.0 or 1.0) expected, from the first line "
                                "on, as the file has no header"));
    }
    for (const auto& [name, text] : {std::pair("text1", line_.text1()), {"text2", line_.text2()}}) {
      if (text.empty()) return Error(absl::StrCat(name, " is empty, a document was expected"));
    }
    split_.AddExample({DocumentBytes(line_.text1()), DocumentBytes(line_.text2())},
                      related ? 1 : 0);
    line_.Clear();
    return absl::OkStatus();
  }

  const std::string& path_;
  Split& split_;
  Line line_;
  int64_t line_number_ = 0;
};

/// Appends a file's pairs to `split` and its bytes to `hash`.
absl::Status ReadPairs(const std::string& path, int64_t published_pairs, Sha256& hash,
                       Split& split) {
  std::error_code error;
  const std::uintmax_t file_bytes = std::filesystem::file_size(path, error);
  if (!error) {
    // Room for as many bytes as the file has or the published one needs, so that the examples never
    // move and are never there twice.
    const auto full_pairs = static_cast<int64_t>(file_bytes / (2 * kDocumentBytes)) + 1;
    split.Reserve(std::min(full_pairs, published_pairs));
  }
  split.NameExamples(
      [path](int64_t example) { return absl::StrCat(path, ", line ", example + 1); });
  PairParser parser(path, split);
  RETURN_IF_ERROR(ReadFilePieces(path, [&](absl::string_view piece) {
    hash.Update(piece);
    return parser.Take(piece);
  }));
  return parser.Finish();
}

absl::StatusOr<Aan> Read(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const DataFolder folder, FindDataFolder(data_dir, kFolders, kFiles));
  Aan aan = {.train = Split(DocumentShape(2)),
             .eval = Split(DocumentShape(2)),
             .test = Split(DocumentShape(2)),
             .folder = folder,
             .sha256 = ""};
  std::error_code ignored;  // What is wrong with a file that is there, its reading tells.
  for (const char* file : kFiles) {
    // Before gigabytes are read.
    const std::filesystem::path path = folder.path / file;
    if (!std::filesystem::exists(std::filesystem::symlink_status(path, ignored))) {
      return absl::DataLossError(absl::StrCat(path.string(), " is missing"));
    }
  }
  Sha256 hash;
  RETURN_IF_ERROR(ReadPairs(folder.path / kFiles[0], kAanTrainPairs, hash, aan.train));
  RETURN_IF_ERROR(ReadPairs(folder.path / kFiles[1], kAanEvalPairs, hash, aan.eval));
  RETURN_IF_ERROR(ReadPairs(folder.path / kFiles[2], kAanTestPairs, hash, aan.test));
  aan.sha256 = hash.HexDigest();
  return aan;
}

}  // namespace

absl::StatusOr<Aan> ReadAan(const std::string& data_dir) {
  absl::StatusOr<Aan> aan = Read(data_dir);
  if (!aan.ok()) return WithWayOut(aan.status(), kWayOut);
  return aan;
}

}  // namespace spion
