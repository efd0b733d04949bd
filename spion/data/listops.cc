#include "spion/data/listops.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "spion/base/sha256.h"
#include "spion/base/status.h"
#include "spion/data/data_folder.h"
#include "spion/data/generated_sizes.h"
#include "spion/data/listops_expression.h"
#include "spion/data/listops_files.h"
#include "spion/data/listops_generator.h"

namespace spion {
namespace {

constexpr TaskShape kShape = {.sequence_length = 2048,
                              .vocabulary = kListOpsTokenKinds + 1,
                              .classes = kListOpsValues,
                              .has_padding = true,
                              .longest_sequence = 2000};

constexpr char kCutMeans[] =
    "the value of an expression that is cut cannot be learnt from what is left";

Split& SplitOf(ListOpsSplit split, TaskData& data) {
  switch (split) {
    case ListOpsSplit::kTrain:
      return data.train;
    case ListOpsSplit::kDev:
      return data.dev;
    default:  // kTest
      return data.test;
  }
}

void Add(ListOpsSplit split, absl::Span<const uint8_t> tokens, int value, TaskData& data) {
  SplitOf(split, data).AddExample({tokens}, value);
}

/// Room for the published sizes: memory that is not filled is not taken.
TaskData EmptyData() {
  TaskData data(kShape);
  data.train.Reserve(kListOpsSizes.train);
  data.dev.Reserve(kListOpsSizes.dev);
  data.test.Reserve(kListOpsSizes.test);
  return data;
}

absl::StatusOr<TaskData> LoadFiles(const std::string& data_dir) {
  ASSIGN_OR_RETURN(const DataFolder folder, FindListOpsFolder(data_dir));
  TaskData data = EmptyData();
  for (ListOpsSplit split : kListOpsSplits) {
    SplitOf(split, data)
        .NameExamples([path = folder.path / ListOpsFileName(split)](int64_t example) {
          return absl::StrCat(path.string(), ", line ", example + 2);  // The header is line 1.
        });
  }
  Sha256 hash;
  RETURN_IF_ERROR(ReadListOps(folder.path.string(), hash,
                              [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
                                Add(split, tokens, value, data);
                              }));
  data.source = {.name = "ListOps (files)",
                 .generated = false,
                 .path = folder.path.string(),
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("ListOps from ", DescribeDataFolder(folder), ": ",
                                             data.Counts(), " expressions"),
                 .cut_means = kCutMeans};
  return data;
}

absl::StatusOr<TaskData> Generate(uint64_t seed, const GeneratedSizes& sizes) {
  TaskData data = EmptyData();
  Sha256 hash;
  RETURN_IF_ERROR(GenerateListOps(
      seed, sizes, [&](ListOpsSplit split, absl::Span<const uint8_t> tokens, int value) {
        const char label = static_cast<char>(value);
        hash.Update({&label, 1});
        hash.Update({reinterpret_cast<const char*>(tokens.data()), tokens.size()});
        Add(split, tokens, value, data);
        return absl::OkStatus();
      }));
  data.source = {.name = "ListOps (its generator)",
                 .generated = false,
                 .path = "",
                 .sha256 = hash.HexDigest(),
                 .description = absl::StrCat("ListOps by its own generator, seed ", seed, ": ",
                                             data.Counts(), " expressions"),
                 .cut_means = kCutMeans};
  return data;
}

}  // namespace

absl::StatusOr<TaskData> LoadListOps(const TaskOptions& options) {
  if (options.data_dir.empty()) return Generate(options.seed, options.generated_sizes);
  RETURN_IF_ERROR(CheckNoSizesForFiles(options, "expressions"));
  return LoadFiles(options.data_dir);
}

}  // namespace spion
