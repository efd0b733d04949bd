#include "spion/ops/tensor_arguments.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <string>

namespace spion {
namespace {

const int32_t* PatternData(const char* op, const char* name, const at::Tensor& tensor,
                           const at::Tensor& q) {
  TORCH_CHECK(
      tensor.scalar_type() == at::kInt && tensor.is_contiguous() && tensor.device() == q.device(),
      op, ": the pattern's ", name, " must be contiguous int32 on ", q.device(), "; got ",
      tensor.toString(), " on ", tensor.device(), "; make the pattern's tensors there");
  return tensor.const_data_ptr<int32_t>();
}

}  // namespace

void ThrowIfError(const char* op, const absl::Status& status) {
  TORCH_CHECK(status.ok(), op, ": ", std::string(status.message()));
}

void CheckHeadTensor(const char* op, const char* name, const at::Tensor& tensor,
                     const at::Tensor& like) {
  TORCH_CHECK(tensor.dim() == 4, op, ": ", name, " must be [batch, heads, length, head_dim]; got ",
              tensor.sizes());
  TORCH_CHECK(tensor.sizes() == like.sizes(), op, ": ", name, " must have q's sizes ", like.sizes(),
              "; got ", tensor.sizes());
  TORCH_CHECK(tensor.scalar_type() == like.scalar_type(), op, ": ", name, " must have q's dtype ",
              like.scalar_type(), "; got ", tensor.scalar_type());
  TORCH_CHECK(tensor.device() == like.device(), op, ": ", name, " must be on q's device ",
              like.device(), "; got ", tensor.device());
  TORCH_CHECK(
      tensor.stride(3) == 1 || tensor.numel() == 0, op, ": ", name,
      " must have stride 1 along head_dim; call .contiguous(). Strides: ", tensor.strides());
}

bool IsWithinReach(const at::Tensor& heads, int64_t row_stride) {
  return SpansFewEnoughBytes(heads.size(2), row_stride, heads.element_size());
}

at::Tensor EmptyHeads(const at::Tensor& like) {
  if (!IsWithinReach(like, like.size(1) * like.size(3))) {
    return at::empty(like.sizes(), like.options());
  }
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options())
      .transpose(1, 2);
}

std::array<at::Tensor, 3> EmptyPackedHeads(const at::Tensor& like) {
  if (!IsWithinReach(like, 3 * like.size(1) * like.size(3))) {
    return {EmptyHeads(like), EmptyHeads(like), EmptyHeads(like)};
  }
  const at::Tensor packed =
      at::empty({like.size(0), like.size(2), 3, like.size(1), like.size(3)}, like.options());
  return {packed.select(2, 0).transpose(1, 2), packed.select(2, 1).transpose(1, 2),
          packed.select(2, 2).transpose(1, 2)};
}

KeyPadding AsKeyPadding(const char* op, const std::optional<at::Tensor>& padding,
                        const at::Tensor& q) {
  if (!padding.has_value() || !padding->defined()) return {};
  const int64_t batch = q.size(0);
  const int64_t length = q.size(2);
  TORCH_CHECK(padding->device() == q.device() && padding->is_contiguous(), op,
              ": padding must be contiguous and on ", q.device(), "; got strides ",
              padding->strides(), " on ", padding->device(),
              "; call .contiguous() and .to() on it");
  if (padding->scalar_type() == at::kInt && padding->sizes() == at::IntArrayRef({batch})) {
    return {.lengths = padding->const_data_ptr<int32_t>()};
  }
  TORCH_CHECK(
      padding->scalar_type() == at::kBool && padding->sizes() == at::IntArrayRef({batch, length}),
      op, ": padding must be int32 lengths [", batch, "] or a bool mask [", batch, ", ", length,
      "], true for valid keys; got ", padding->toString(), " ", padding->sizes());
  return {.valid = static_cast<const uint8_t*>(padding->const_data_ptr())};
}

BlockSparseProblem AsProblem(const char* op, const at::Tensor& q, const PatternTensors& pattern,
                             const std::optional<at::Tensor>& padding, bool pruned_is_zero) {
  TORCH_CHECK(q.dim() == 4, op, ": q must be [batch, heads, length, head_dim]; got ", q.sizes());
  const int64_t length = q.size(2);
  const int64_t block_size = pattern.block_size;
  TORCH_CHECK(block_size > 0 && length % block_size == 0, op, ": length ", length,
              " is not a multiple of block_size ", block_size, "; pad the sequence");
  const int64_t blocks = length / block_size;
  TORCH_CHECK(pattern.row_offsets.numel() > 0 && pattern.row_offsets.numel() % (blocks + 1) == 0 &&
                  pattern.row_offsets.numel() == pattern.column_offsets.numel() &&
                  pattern.row_columns.numel() == pattern.column_rows.numel(),
              op, ": the pattern does not fit length ", length, " in blocks of ", block_size,
              ": row_offsets has ", pattern.row_offsets.numel(), " entries, column_offsets ",
              pattern.column_offsets.numel(), ", expected ", blocks + 1, " for each pattern");
  const auto data = [&](const char* name, const at::Tensor& tensor) {
    return PatternData(op, name, tensor, q);
  };
  const auto lines = [&](const char* name, const at::Tensor& tensor) {
    return reinterpret_cast<const BlockLine*>(PatternData(op, name, tensor, q));
  };
  return {.batch = q.size(0),
          .heads = q.size(1),
          .length = length,
          .head_dim = q.size(3),
          .block_size = block_size,
          .scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(q.size(3)))),
          .pruned = pruned_is_zero ? PrunedScore::kZero : PrunedScore::kExcluded,
          .pattern = {.patterns = static_cast<int32_t>(pattern.row_offsets.numel() / (blocks + 1)),
                      .blocks_per_side = static_cast<int32_t>(blocks),
                      .row_offsets = data("row_offsets", pattern.row_offsets),
                      .row_columns = data("row_columns", pattern.row_columns),
                      .column_offsets = data("column_offsets", pattern.column_offsets),
                      .column_rows = data("column_rows", pattern.column_rows),
                      .schedule = {.rows = lines("row_schedule", pattern.row_schedule),
                                   .lines = lines("line_schedule", pattern.line_schedule),
                                   .long_rows = static_cast<int32_t>(pattern.long_rows),
                                   .long_lines = static_cast<int32_t>(pattern.long_lines)}},
          .padding = AsKeyPadding(op, padding, q)};
}

}  // namespace spion
