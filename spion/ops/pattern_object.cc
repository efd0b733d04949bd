#include "spion/ops/pattern_object.h"

#include <torch/custom_class.h>

#include <string>
#include <vector>

namespace spion {
namespace {

/// From a mask, bool [n, n] for all heads or [patterns, n, n]; the diagonal is added.
PatternPointer PatternFromMask(const at::Tensor& mask, int64_t block_size, c10::Device device) {
  TORCH_CHECK((mask.dim() == 2 || mask.dim() == 3) && mask.scalar_type() == at::kBool &&
                  mask.size(-1) == mask.size(-2),
              "spion::BlockPattern: mask must be bool [n, n] or [patterns, n, n]; got ",
              mask.toString(), " ", mask.sizes());
  const at::Tensor host = mask.cpu().contiguous();
  const int64_t n = host.size(-1);
  const auto* flags = static_cast<const uint8_t*>(host.const_data_ptr());
  std::vector<BlockPattern> patterns;
  for (int64_t first = 0; first < host.numel(); first += n * n) {
    absl::StatusOr<BlockPattern> pattern = BlockPattern::FromMask(
        static_cast<int>(n), static_cast<int>(block_size), {flags + first, size_t(n * n)});
    TORCH_CHECK(pattern.ok(), "spion::BlockPattern: ", std::string(pattern.status().message()));
    patterns.push_back(*std::move(pattern));
  }
  return c10::make_intrusive<PatternObject>(ToTensors(patterns, device));
}

}  // namespace

void RegisterPatternObject() {
  static const auto registration =
      torch::class_<PatternObject>("spion", "BlockPattern").def(torch::init(&PatternFromMask));
}

}  // namespace spion
