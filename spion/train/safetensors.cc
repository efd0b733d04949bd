#include "spion/train/safetensors.h"

#include <ATen/ops/empty.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spion/base/file.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
constexpr size_t kAlignment = 8;  // of the data, so that a reader may map it

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(path, " is not a whole safetensors file: ", what, "; train again to make one"));
}

absl::StatusOr<at::Tensor> ReadTensor(const std::string& path, const std::string& name,
                                      const Json& entry, absl::string_view data) {
  if (entry.at("dtype") != "F32") {
    return Damaged(path, absl::StrCat(name, " is ", entry.at("dtype").dump(), ", expected F32"));
  }
  const auto shape = entry.at("shape").get<std::vector<int64_t>>();
  const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  uint64_t elements = 1;
  for (int64_t size : shape) {
    if (size < 0) return Damaged(path, absl::StrCat(name, " has a negative size"));
    elements *= static_cast<uint64_t>(size);
    if (elements > data.size())
      return Damaged(path, absl::StrCat(name, " is larger than the file"));
  }
  const uint64_t bytes = elements * sizeof(float);
  if (offsets.size() != 2 || offsets[0] > data.size() || offsets[1] > data.size() ||
      offsets[1] - offsets[0] != bytes) {
    return Damaged(
        path, absl::StrCat("the data of ", name, " should be ", bytes, " bytes within ",
                           data.size(), ", its offsets are ", entry.at("data_offsets").dump()));
  }
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.mutable_data_ptr(), data.data() + offsets[0], bytes);
  return tensor;
}

}  // namespace

absl::Status SaveTensors(const std::string& path, const TensorFile& content) {
  Json header = Json::object();
  header[kMetadata] = content.metadata;
  std::string data;
  for (const auto& [name, tensor] : content.tensors) {
    if (tensor.scalar_type() != at::kFloat) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", name, " is not float32"));
    }
    const at::Tensor host = tensor.detach().cpu().contiguous();
    const size_t start = data.size();
    data.append(static_cast<const char*>(host.const_data_ptr()), host.nbytes());
    header[name] = {
        {"dtype", "F32"}, {"shape", host.sizes().vec()}, {"data_offsets", {start, data.size()}}};
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const uint64_t size = text.size();
  std::string file(reinterpret_cast<const char*>(&size), sizeof(size));
  return WriteFileAtomically(path, absl::StrCat(file, text, data));
}

absl::StatusOr<TensorFile> LoadTensors(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string file, ReadFile(path));
  uint64_t header_size = 0;
  if (file.size() < sizeof(header_size)) return Damaged(path, "it ends before the header");
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  absl::string_view rest = absl::string_view(file).substr(sizeof(header_size));
  if (header_size > rest.size()) return Damaged(path, "it ends within the header");
  const Json header = Json::parse(rest.substr(0, header_size), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) return Damaged(path, "its header is no JSON object");

  TensorFile content;
  try {
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata) {
        content.metadata = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      ASSIGN_OR_RETURN(content.tensors[name],
                       ReadTensor(path, name, entry, rest.substr(header_size)));
    }
  } catch (const Json::exception& error) {
    return Damaged(path, error.what());
  }
  return content;
}

}  // namespace spion
