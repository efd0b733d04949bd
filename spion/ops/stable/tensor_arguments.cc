#include "spion/ops/stable/tensor_arguments.h"

#include "absl/strings/str_join.h"
#include "spion/ops/stable/allocate.h"
#include "spion/ops/stable/refuse.h"

namespace spion {
namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

/// Whether a GPU reaches all rows of a head of [B, H, L, d] if they are so many elements apart.
bool IsWithinReach(const Tensor& heads, int64_t row_stride) {
  return SpansFewEnoughBytes(heads.size(2), row_stride, static_cast<int64_t>(heads.element_size()));
}

bool HasSizes(const Tensor& tensor, std::initializer_list<int64_t> sizes) {
  if (tensor.dim() != static_cast<int64_t>(sizes.size())) return false;
  int64_t dimension = 0;
  for (const int64_t size : sizes) {
    if (tensor.size(dimension++) != size) return false;
  }
  return true;
}

bool HasSameSizes(const Tensor& a, const Tensor& b) {
  return a.dim() == 4 && HasSizes(b, {a.size(0), a.size(1), a.size(2), a.size(3)});
}

}  // namespace

std::string SizesOf(const Tensor& tensor) {
  return absl::StrCat("[", absl::StrJoin(tensor.sizes(), ", "), "]");
}

std::string DtypeOf(const Tensor& tensor) {
  return torch::headeronly::toString(tensor.scalar_type());
}

std::string DeviceOf(const Tensor& tensor) {
  if (tensor.is_cpu()) return "cpu";
  if (tensor.is_cuda()) return absl::StrCat("cuda:", tensor.get_device_index());
  return "another kind of device";
}

bool IsOnSameDevice(const Tensor& a, const Tensor& b) { return a.device() == b.device(); }

void CheckCpuDtype(const char* op, const Tensor& q) {
  if (q.scalar_type() == ScalarType::Float) return;
  Refuse(op, " on the CPU takes float32; got ", DtypeOf(q), "; convert it to float32");
}

void CheckHeadTensor(const char* op, const char* name, const Tensor& tensor, const Tensor& like) {
  if (tensor.dim() != 4) {
    Refuse(op, ": ", name, " must be [batch, heads, length, head_dim]; got ", SizesOf(tensor));
  }
  if (!HasSameSizes(like, tensor)) {
    Refuse(op, ": ", name, " must have q's sizes ", SizesOf(like), "; got ", SizesOf(tensor));
  }
  if (tensor.scalar_type() != like.scalar_type()) {
    Refuse(op, ": ", name, " must have q's dtype ", DtypeOf(like), "; got ", DtypeOf(tensor));
  }
  if (!IsOnSameDevice(tensor, like)) {
    Refuse(op, ": ", name, " must be on q's device ", DeviceOf(like), "; got ", DeviceOf(tensor));
  }
  if (tensor.stride(3) != 1 && tensor.numel() != 0) {
    Refuse(op, ": ", name, " must have stride 1 along head_dim; call .contiguous(). Strides: ",
           absl::StrJoin(tensor.strides(), ", "));
  }
}

Tensor EmptyHeads(const Tensor& like) {
  const int64_t batch = like.size(0), heads = like.size(1), length = like.size(2);
  const int64_t dim = like.size(3);
  if (!IsWithinReach(like, heads * dim)) return Allocate(like, {batch, heads, length, dim});
  return Allocate(like, {batch, heads, length, dim}, /*order=*/{0, 2, 1, 3});
}

Tensor EmptyGradients(const Tensor& like) {
  const int64_t batch = like.size(0), heads = like.size(1), length = like.size(2);
  const int64_t dim = like.size(3);
  const int64_t sizes[] = {batch, length, 3, heads, dim};
  if (IsWithinReach(like, 3 * heads * dim)) return Allocate(like, sizes);
  return Allocate(like, sizes, /*order=*/{2, 0, 3, 1, 4});
}

KeyPadding AsKeyPadding(const char* op, const std::optional<Tensor>& padding, const Tensor& q) {
  if (!padding.has_value() || !padding->defined()) return {};
  const int64_t batch = q.size(0);
  const int64_t length = q.size(2);
  if (!IsOnSameDevice(*padding, q) || !padding->is_contiguous()) {
    Refuse(op, ": padding must be contiguous and on ", DeviceOf(q), "; got strides ",
           absl::StrJoin(padding->strides(), ", "), " on ", DeviceOf(*padding),
           "; call .contiguous() and .to() on it");
  }
  if (padding->scalar_type() == ScalarType::Int && HasSizes(*padding, {batch})) {
    return {.lengths = static_cast<const int32_t*>(padding->const_data_ptr())};
  }
  if (padding->scalar_type() != ScalarType::Bool || !HasSizes(*padding, {batch, length})) {
    Refuse(op, ": padding must be int32 lengths [", batch, "] or a bool mask [", batch, ", ",
           length, "], true for valid keys; got ", DtypeOf(*padding), " ", SizesOf(*padding));
  }
  return {.valid = static_cast<const uint8_t*>(padding->const_data_ptr())};
}

BlockSparseProblem AsProblem(const char* op, const Tensor& q,
                             const BlockSparseArguments& arguments) {
  if (q.dim() != 4) {
    Refuse(op, ": q must be [batch, heads, length, head_dim]; got ", SizesOf(q));
  }
  const int64_t length = q.size(2);
  const int64_t block_size = arguments.block_size;
  const int64_t blocks = arguments.shape.blocks_per_side;
  Check(block_size > 0 && length % block_size == 0, op, ": length ", length,
        " is not a multiple of block_size ", block_size, "; pad the sequence");
  Check(length / block_size == blocks, op, ": the pattern does not fit length ", length,
        ": it has ", blocks, " blocks of ", block_size, ", which is a length of ",
        blocks * block_size);
  const Tensor& pattern = arguments.pattern;
  if (pattern.scalar_type() != ScalarType::Int || !pattern.is_contiguous() ||
      !IsOnSameDevice(pattern, q)) {
    Refuse(op, ": the pattern must be contiguous int32 on ", DeviceOf(q), "; got ",
           DtypeOf(pattern), " on ", DeviceOf(pattern), "; move it there by .to()");
  }
  const void* values = pattern.const_data_ptr();
  Check(reinterpret_cast<uintptr_t>(values) % alignof(BlockLine) == 0, op,
        ": the pattern must be aligned to ", alignof(BlockLine), " bytes; call .clone()");
  const absl::StatusOr<BlockPatternView> view =
      ViewOfPacked(static_cast<const int32_t*>(values), pattern.numel(), arguments.shape);
  CheckOk(op, view.status());
  return {.batch = q.size(0),
          .heads = q.size(1),
          .length = length,
          .head_dim = q.size(3),
          .block_size = block_size,
          .scale = static_cast<float>(arguments.scale),
          .pruned = arguments.pruned_is_zero ? PrunedScore::kZero : PrunedScore::kExcluded,
          .float32 = arguments.exact_float32 ? Float32Math::kExact : Float32Math::kTf32,
          .pattern = *view,
          .padding = AsKeyPadding(op, arguments.padding, q)};
}

}  // namespace spion
