#include "spion/data/listops_files.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "spion/base/file.h"
#include "spion/base/read_lines.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/listops_expression.h"

namespace spion {
namespace {

constexpr std::array<const char*, 2> kFolders = {"listops-1000", "listops"};
constexpr char kHeader[] = "Source\tTarget";
constexpr char kWayOut[] =
    "Give the folder with basic_train.tsv, basic_val.tsv and basic_test.tsv of Long Range Arena "
    "(https://github.com/google-research/long-range-arena, lra_release.gz, listops-1000) as the "
    "data folder, write such files by bazel run //tools:make_listops -- --out=DIR, or give no data "
    "folder: the generator is the data set";

// A line of a file is not longer: an expression of the task has 2,000 tokens at most.
constexpr int64_t kLineBytes = int64_t{1} << 20;

// Longer texts are cut in messages.
constexpr size_t kShownCharacters = 40;

std::string Shown(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kShownCharacters)),
                      text.size() > kShownCharacters ? "...\"" : "\"");
}

std::string PathOf(const std::string& folder, ListOpsSplit split) {
  return (std::filesystem::path(folder) / ListOpsFileName(split)).string();
}

struct Line {
  ListOpsTokens tokens;
  int target;
};

/// A line after the header.
absl::StatusOr<Line> ParseLine(absl::string_view text) {
  if (text == kHeader) {
    return absl::DataLossError("the header for the second time; expected once, in line 1");
  }
  const size_t tab = text.find('\t');
  if (tab == text.npos) {
    return absl::DataLossError(
        absl::StrCat("no tab in ", Shown(text), "; an expression, a tab and its value expected"));
  }
  const absl::string_view target = text.substr(tab + 1);
  if (target.size() != 1 || target[0] < '0' || target[0] > '9') {
    return absl::DataLossError(absl::StrCat("target ", Shown(target), " found, a digit expected"));
  }
  absl::StatusOr<ListOpsTokens> tokens = ParseListOps(text.substr(0, tab));
  if (!tokens.ok()) return absl::DataLossError(tokens.status().message());
  return Line{*std::move(tokens), target[0] - '0'};
}

absl::Status CheckTarget(const Line& line) {
  const absl::StatusOr<int> value = EvaluateListOps(line.tokens);
  if (!value.ok()) return absl::DataLossError(value.status().message());
  if (*value == line.target) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("target ", line.target, " found, but the expression's value is ", *value));
}

absl::Status CheckHeader(absl::string_view text) {
  if (text == kHeader) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(Shown(text), " found, the header \"Source<TAB>Target\" expected"));
}

absl::Status ReadSplit(const std::string& path, Sha256& hash,
                       absl::FunctionRef<void(const Line& line)> take) {
  int64_t lines = 0;
  const auto take_line = [&](absl::string_view text) -> absl::Status {
    if (lines == 1) return CheckHeader(text);
    ASSIGN_OR_RETURN(const Line line, ParseLine(text));
    RETURN_IF_ERROR(CheckTarget(line));
    take(line);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ReadLines(path, kLineBytes, hash, [&](int64_t number, absl::string_view text) {
    lines = number;
    const absl::Status status = take_line(text);
    return status.ok() ? status
                       : absl::Status(status.code(), absl::StrCat(path, ", line ", number, ": ",
                                                                  status.message()));
  }));
  if (lines >= 2) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, lines == 0 ? " is empty: " : " has no line after its header: ",
                   "the header and one line for each expression expected"));
}

absl::Status CheckMayWrite(const std::string& folder, bool overwrite) {
  for (ListOpsSplit split : kListOpsSplits) {
    const std::string path = PathOf(folder, split);
    // What cannot be looked at cannot be written either, and says so then.
    std::error_code ignored;
    if (!overwrite && std::filesystem::exists(path, ignored)) {
      return absl::AlreadyExistsError(absl::StrCat(path, " is there already"));
    }
    if (std::filesystem::is_directory(path, ignored)) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is a folder, where a file is to be written"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

const char* ListOpsFileName(ListOpsSplit split) {
  switch (split) {
    case ListOpsSplit::kTrain:
      return "basic_train.tsv";
    case ListOpsSplit::kDev:
      return "basic_val.tsv";
    case ListOpsSplit::kTest:
      return "basic_test.tsv";
  }
  return "";
}

absl::StatusOr<DataFolder> FindListOpsFolder(const std::string& data_dir) {
  std::vector<const char*> files;
  for (ListOpsSplit split : kListOpsSplits) files.push_back(ListOpsFileName(split));
  absl::StatusOr<DataFolder> folder = FindDataFolder(data_dir, kFolders, files);
  if (!folder.ok()) return WithWayOut(folder.status(), kWayOut);
  return folder;
}

absl::Status ReadListOps(
    const std::string& folder, Sha256& hash,
    absl::FunctionRef<void(ListOpsSplit split, absl::Span<const uint8_t> tokens, int value)> take) {
  for (ListOpsSplit split : kListOpsSplits) {
    const absl::Status status = ReadSplit(PathOf(folder, split), hash, [&](const Line& line) {
      take(split, line.tokens, line.target);
    });
    if (!status.ok()) return WithWayOut(MissingIsDataLoss(status), kWayOut);
  }
  return absl::OkStatus();
}

absl::Status WriteListOps(const std::string& folder, uint64_t seed, const GeneratedSizes& sizes,
                          bool overwrite) {
  RETURN_IF_ERROR(CheckMayWrite(folder, overwrite));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make the folder ", folder));
  }
  std::vector<AtomicFile> files;  // In the order of kListOpsSplits.
  for (ListOpsSplit split : kListOpsSplits) {
    ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(PathOf(folder, split)));
    RETURN_IF_ERROR(file.Append(absl::StrCat(kHeader, "\n")));
    files.push_back(std::move(file));
  }
  RETURN_IF_ERROR(GenerateListOps(
      seed, sizes, [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
        return files[static_cast<size_t>(split)].Append(
            absl::StrCat(FormatListOps(tokens), "\t", value, "\n"));
      }));
  for (AtomicFile& file : files) RETURN_IF_ERROR(file.Flush());
  for (AtomicFile& file : files) RETURN_IF_ERROR(file.Commit());
  return absl::OkStatus();
}

}  // namespace spion
