// The operators by which Python makes patterns. A mask is bool, true where a block is kept, on the
// CPU: [n, n], or [patterns, n, n] where pack_pattern takes one a head.
#include "baselines/fixed_pattern/patterns.h"

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spion/kernels/block_sparse/packed_pattern.h"
#include "spion/ops/stable/refuse.h"
#include "spion/pattern/block_pattern.h"
#include "spion/pattern/generator.h"

namespace spion {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

// What Python's users call, for messages.
constexpr char kGenerate[] = "spion.generate_pattern";
constexpr char kPack[] = "spion.BlockPattern";

int AsInt(const char* function, const char* name, int64_t value) {
  Check(value >= 0 && value <= std::numeric_limits<int>::max(), function, ": ", name, " = ", value,
        ", expected a number from 0 to 2^31 - 1");
  return static_cast<int>(value);
}

Tensor MaskOf(const char* function, const absl::StatusOr<BlockPattern>& pattern) {
  CheckOk(function, pattern.status());
  const int64_t n = pattern->blocks_per_side();
  Tensor mask = torch::stable::empty({n, n}, ScalarType::Bool);
  const std::vector<uint8_t> flags = pattern->mask();
  std::memcpy(mask.mutable_data_ptr(), flags.data(), flags.size());
  return mask;
}

Tensor Generate(const Tensor& map, std::string kind, int64_t block_size, double density,
                double threshold, int64_t filter_width) {
  Check(map.dim() == 2 && map.size(0) == map.size(1) && map.is_contiguous() &&
            map.scalar_type() == ScalarType::Float,
        kGenerate, ": an attention map is contiguous float32 [length, length]; got ", map.dim(),
        " dimensions of ", absl::StrJoin(map.sizes(), " x "));
  const absl::StatusOr<PatternKind> parsed = ParsePatternKind(kind);
  CheckOk(kGenerate, parsed.status());
  GeneratorOptions options;
  options.kind = *parsed;
  options.block_size = AsInt(kGenerate, "block_size", block_size);
  options.density = density;
  options.threshold = threshold;
  options.filter_width = AsInt(kGenerate, "filter_width", filter_width);
  const auto* values = static_cast<const float*>(map.const_data_ptr());
  return MaskOf(kGenerate, GeneratePattern(
                               {{values, static_cast<size_t>(map.numel())}, map.size(0)}, options));
}

absl::StatusOr<BlockPattern> FixedPatternOf(const std::string& function, const std::string& kind,
                                            int64_t length, int block_size,
                                            const std::vector<int64_t>& options) {
  const auto option = [&](size_t index, const char* name) {
    Check(index < options.size(), function, ": it needs its option ", name);
    return AsInt(function.c_str(), name, options[index]);
  };
  if (kind == "longformer") {
    return LongformerPattern(length, {.block_size = block_size,
                                      .window = option(0, "window"),
                                      .global = option(1, "global_blocks")});
  }
  if (kind == "bigbird") {
    return BigBirdPattern(length, {.block_size = block_size,
                                   .random = option(0, "random"),
                                   .seed = static_cast<uint64_t>(option(1, "seed"))});
  }
  if (kind == "strided") {
    return StridedPattern(length, {.block_size = block_size, .stride = option(0, "stride")});
  }
  Check(kind == "fixed", function, ": there are longformer, bigbird, strided and fixed");
  return FixedPattern(length, {.block_size = block_size, .stride = option(0, "stride")});
}

Tensor MakeFixed(std::string kind, int64_t length, int64_t block_size,
                 std::vector<int64_t> options) {
  const std::string function = absl::StrCat("spion.patterns.", kind);
  return MaskOf(function.c_str(),
                FixedPatternOf(function, kind, length,
                               AsInt(function.c_str(), "block_size", block_size), options));
}

std::tuple<Tensor, int64_t, int64_t> Pack(const Tensor& mask, int64_t block_size) {
  Check(mask.dim() == 3 && mask.size(1) == mask.size(2) && mask.is_contiguous() &&
            mask.scalar_type() == ScalarType::Bool,
        kPack, ": a mask is contiguous bool [patterns, n, n]; got ", mask.dim(), " dimensions of ",
        absl::StrJoin(mask.sizes(), " x "));
  const int side = AsInt(kPack, "the mask's side", mask.size(1));
  const auto flags = static_cast<size_t>(mask.size(1) * mask.size(2));
  const auto* first = static_cast<const uint8_t*>(mask.const_data_ptr());
  std::vector<BlockLines> rows;
  std::vector<BlockLines> columns;
  for (int64_t i = 0; i < mask.size(0); ++i) {
    const absl::StatusOr<BlockPattern> pattern = BlockPattern::FromMask(
        side, AsInt(kPack, "block_size", block_size), {first + i * flags, flags});
    CheckOk(kPack, pattern.status());
    rows.push_back(pattern->rows());
    columns.push_back(pattern->columns());
  }
  const absl::StatusOr<PackedPattern> packed = PackPattern(rows, columns, PackedRoom::kPowerOfTwo);
  CheckOk(kPack, packed.status());
  Tensor values =
      torch::stable::empty({static_cast<int64_t>(packed->values.size())}, ScalarType::Int);
  std::memcpy(values.mutable_data_ptr(), packed->values.data(),
              packed->values.size() * sizeof(int32_t));
  return {values, packed->shape.long_rows, packed->shape.long_lines};
}

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(spion, library) {
  library.def(
      "generate_pattern(Tensor map, str kind, int block_size, float density, float threshold, "
      "int filter_width) -> Tensor mask");
  library.def("fixed_pattern(str kind, int length, int block_size, int[] options) -> Tensor mask");
  library.def(
      "pack_pattern(Tensor mask, int block_size) -> (Tensor pattern, SymInt long_rows, SymInt "
      "long_lines)");
}

STABLE_TORCH_LIBRARY_IMPL(spion, CPU, library) {
  library.impl("generate_pattern", TORCH_BOX(&Generate));
  library.impl("pack_pattern", TORCH_BOX(&Pack));
}

// Takes no tensor, by whose device one would be chosen.
STABLE_TORCH_LIBRARY_IMPL(spion, CompositeExplicitAutograd, library) {
  library.impl("fixed_pattern", TORCH_BOX(&MakeFixed));
}

}  // namespace spion
