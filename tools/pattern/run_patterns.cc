#include "tools/pattern/run_patterns.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/json.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"
#include "spion/kernels/block_sparse/block_size.h"
#include "spion/pattern/pattern_json.h"

namespace spion {
namespace {

absl::StatusOr<nlohmann::json> ReadLayers(const std::string& path) {
  absl::StatusOr<std::string> text = ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    return absl::NotFoundError(
        absl::StrCat(text.status().message(),
                     "; a run of SPION writes patterns.json when its sparse phase begins"));
  }
  RETURN_IF_ERROR(text.status());
  absl::StatusOr<nlohmann::json> run = ParseJson(*text);
  if (!run.ok()) {
    return absl::DataLossError(
        absl::StrCat(path, " is ", run.status().message(), "; give the patterns.json of a run"));
  }
  if (!run->is_object() || !run->contains("layers") || !run->at("layers").is_array() ||
      run->at("layers").empty()) {
    return absl::DataLossError(
        absl::StrCat(path, " has no list \"layers\"; give the patterns.json of a run"));
  }
  return std::move(run->at("layers"));
}

}  // namespace

absl::StatusOr<std::vector<TitledPattern>> ReadRunPatterns(const std::string& path,
                                                           std::optional<int> layer) {
  ASSIGN_OR_RETURN(const nlohmann::json layers, ReadLayers(path));
  const int count = static_cast<int>(layers.size());
  if (layer.has_value() && (*layer < 0 || *layer >= count)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--layer=", *layer, ": ", path, " has layers 0 to ", count - 1));
  }
  const int first = layer.value_or(0);
  const int end = layer.has_value() ? first + 1 : count;
  std::vector<TitledPattern> patterns;
  for (int l = first; l < end; ++l) {
    absl::StatusOr<BlockPattern> pattern = PatternFromJson(layers[l]);
    if (!pattern.ok()) {
      return absl::DataLossError(
          absl::StrCat(path, ": layer ", l, ": ", pattern.status().message()));
    }
    if (!TakesBlockSize(pattern->block_size())) {
      return absl::DataLossError(absl::StrCat(path, ": layer ", l, ": block_size is ",
                                              pattern->block_size(), ", expected ", kBlockSizes));
    }
    patterns.push_back({absl::StrCat("layer ", l), *std::move(pattern)});
  }
  return patterns;
}

}  // namespace spion
