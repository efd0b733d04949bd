#include "spion/train/safetensors.h"

#include <ATen/ops/empty.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "spion/base/file.h"
#include "spion/base/json.h"
#include "spion/base/read_file.h"
#include "spion/base/status.h"

namespace spion {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::json;

constexpr char kMetadata[] = "__metadata__";
constexpr char kChecksum[] = "crc32";  // among the metadata
constexpr char kNoChecksum[] = "00000000";
constexpr size_t kAlignment = 8;  // of the data, so that a reader may map it

absl::Status Damaged(const FilePlace& place, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(place.path(), " is not a whole safetensors file: ", what));
}

// For messages, whatever its length.
std::string Shown(const Json& json) {
  constexpr size_t kLongest = 60;
  return json.dump().substr(0, kLongest);
}

// Of a list of whole numbers from 0 on; get() would round and wrap others.
std::optional<std::vector<uint64_t>> WholeNumbers(const Json& list) {
  const auto is_whole = [](const Json& entry) {
    return entry.is_number_unsigned() || (entry.is_number_integer() && entry.get<int64_t>() >= 0);
  };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_whole)) return std::nullopt;
  return list.get<std::vector<uint64_t>>();
}

// The product of the sizes, or nothing where it is above `most`. What is empty may have any sizes
// whose product LibTorch can compute.
std::optional<uint64_t> Elements(const std::vector<uint64_t>& sizes, uint64_t most) {
  constexpr uint64_t kMostOfEmpty = uint64_t{1} << 31;
  const bool is_empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  const uint64_t bound = is_empty ? kMostOfEmpty : most;
  uint64_t elements = 1;
  for (const uint64_t size : sizes) {
    if (size == 0) continue;
    if (size > bound / elements) return std::nullopt;
    elements *= size;
  }
  return is_empty ? 0 : elements;
}

// The types that are written and read, by the format's names.
struct NamedType {
  const char* name;
  at::ScalarType type;
};
constexpr NamedType kTypes[] = {{"F32", at::kFloat}, {"I64", at::kLong}, {"U8", at::kByte}};

// What the header says of a tensor.
struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// `data_bytes`: of all tensors.
absl::StatusOr<Entry> ReadEntry(const FilePlace& place, const std::string& name, const Json& json,
                                uint64_t data_bytes) {
  const auto* type =
      std::find_if(std::begin(kTypes), std::end(kTypes),
                   [&](const NamedType& known) { return json.at("dtype") == known.name; });
  if (type == std::end(kTypes)) {
    return Damaged(
        place, absl::StrCat(name, " is ", Shown(json.at("dtype")), ", expected F32, I64 or U8"));
  }
  const uint64_t element_bytes = c10::elementSize(type->type);
  const std::optional<std::vector<uint64_t>> sizes = WholeNumbers(json.at("shape"));
  const std::optional<uint64_t> elements =
      sizes.has_value() ? Elements(*sizes, data_bytes / element_bytes) : std::nullopt;
  if (!elements.has_value()) {
    return Damaged(
        place, absl::StrCat(name, " has the shape ", Shown(json.at("shape")),
                            ", expected whole numbers of at most ", data_bytes, " bytes together"));
  }
  const std::optional<std::vector<uint64_t>> offsets = WholeNumbers(json.at("data_offsets"));
  const uint64_t bytes = *elements * element_bytes;
  if (!offsets.has_value() || offsets->size() != 2 || offsets->at(0) > data_bytes ||
      offsets->at(1) > data_bytes || offsets->at(1) - offsets->at(0) != bytes) {
    return Damaged(place,
                   absl::StrCat("the data of ", name, " should be ", bytes, " bytes within ",
                                data_bytes, ", its offsets are ", Shown(json.at("data_offsets"))));
  }
  return Entry{.name = name,
               .type = type->type,
               .shape = {sizes->begin(), sizes->end()},
               .begin = offsets->at(0),
               .end = offsets->at(1)};
}

// Each begins where the one before it ends, and the last ends the file.
absl::Status CheckOffsets(const FilePlace& place, std::vector<Entry>& entries,
                          uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != end) {
      return Damaged(place,
                     absl::StrCat("the data of ", entry.name, " begins at byte ", entry.begin,
                                  ", expected ", end, ", where the tensor before it ends"));
    }
    end = entry.end;
  }
  if (end == data_bytes) return absl::OkStatus();
  return Damaged(place, absl::StrCat("its tensors end at byte ", end, " of ", data_bytes));
}

// CRC-32 of what a file holds: its metadata and then its data, in the order of the file.
class Checksum {
 public:
  explicit Checksum(const std::map<std::string, std::string>& metadata) {
    for (const auto& [key, value] : metadata) Add(absl::StrCat(key, "=", value, "\n"));
  }
  void Add(absl::string_view bytes) {
    if (bytes.empty()) return;  // without an address zlib would begin anew
    sum_ = crc32_z(sum_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  }
  std::string Text() const { return absl::StrFormat("%08x", sum_); }

 private:
  uLong sum_ = 0;
};

// All before the data, without its checksum.
absl::StatusOr<std::string> Header(const FilePlace& place, const TensorFile& content) {
  Json header = Json::object();
  size_t start = 0;
  for (const auto& [name, tensor] : content.tensors) {
    const at::ScalarType dtype = tensor.scalar_type();
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes),
                     [dtype](const NamedType& known) { return known.type == dtype; });
    if (type == std::end(kTypes)) {
      return absl::InvalidArgumentError(absl::StrCat(place.path(), ": ", name, " is ",
                                                     c10::toString(dtype),
                                                     ", expected Float, Long or Byte"));
    }
    const size_t end = start + tensor.nbytes();
    header[name] = {
        {"dtype", type->name}, {"shape", tensor.sizes().vec()}, {"data_offsets", {start, end}}};
    start = end;
  }
  header[kMetadata] = content.metadata;
  header[kMetadata][kChecksum] = kNoChecksum;
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  const uint64_t size = text.size();
  return absl::StrCat(absl::string_view(reinterpret_cast<const char*>(&size), sizeof(size)), text);
}

// There is no other such text: within a string a quote has a backslash before it.
int64_t PlaceOfChecksum(absl::string_view header) {
  const std::string before = absl::StrCat("\"", kChecksum, "\":\"");
  return static_cast<int64_t>(header.find(absl::StrCat(before, kNoChecksum)) + before.size());
}

// Takes it out of the metadata, where SaveTensors has put it. What others wrote has none.
absl::Status TakeChecksum(const FilePlace& place, std::map<std::string, std::string>& metadata,
                          absl::string_view data) {
  const auto found = metadata.extract(kChecksum);
  if (found.empty()) return absl::OkStatus();
  Checksum checksum(metadata);
  checksum.Add(data);
  if (checksum.Text() == found.mapped()) return absl::OkStatus();
  return Damaged(place, absl::StrCat("it was written with the checksum ", found.mapped(),
                                     ", what it holds now has ", checksum.Text()));
}

}  // namespace

absl::Status SaveTensors(const FilePlace& place, const TensorFile& content) {
  ASSIGN_OR_RETURN(const std::string header, Header(place, content));
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(place));
  RETURN_IF_ERROR(file.Append(header));
  Checksum checksum(content.metadata);
  for (const auto& [name, tensor] : content.tensors) {
    const at::Tensor host = tensor.detach().cpu().contiguous();
    const absl::string_view bytes(static_cast<const char*>(host.const_data_ptr()), host.nbytes());
    checksum.Add(bytes);
    RETURN_IF_ERROR(file.Append(bytes));
  }
  RETURN_IF_ERROR(file.Replace(PlaceOfChecksum(header), checksum.Text()));
  return file.Commit();
}

absl::StatusOr<TensorFile> LoadTensors(const FilePlace& place) {
  ASSIGN_OR_RETURN(const std::string file, ReadFile(place));
  uint64_t header_size = 0;
  if (file.size() < sizeof(header_size)) return Damaged(place, "it ends before the header");
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  const absl::string_view rest = absl::string_view(file).substr(sizeof(header_size));
  if (header_size > rest.size()) return Damaged(place, "it ends within the header");
  const absl::StatusOr<Json> header = ParseJson(rest.substr(0, header_size));
  if (!header.ok()) {
    return Damaged(place, absl::StrCat("its header is ", header.status().message()));
  }
  if (!header->is_object()) return Damaged(place, "its header is no JSON object");
  const absl::string_view data = rest.substr(header_size);

  TensorFile content;
  std::vector<Entry> entries;
  try {
    for (const auto& [name, json] : header->items()) {
      if (name == kMetadata) {
        content.metadata = json.get<std::map<std::string, std::string>>();
        continue;
      }
      ASSIGN_OR_RETURN(Entry entry, ReadEntry(place, name, json, data.size()));
      entries.push_back(std::move(entry));
    }
  } catch (const Json::exception& error) {
    return Damaged(place, error.what());
  }
  RETURN_IF_ERROR(CheckOffsets(place, entries, data.size()));
  RETURN_IF_ERROR(TakeChecksum(place, content.metadata, data));
  for (const Entry& entry : entries) {
    const at::Tensor tensor = at::empty(entry.shape, entry.type);
    if (entry.end > entry.begin) {  // what is empty has no place to copy to
      std::memcpy(tensor.mutable_data_ptr(), data.data() + entry.begin, entry.end - entry.begin);
    }
    content.tensors[entry.name] = tensor;
  }
  return content;
}

}  // namespace spion
