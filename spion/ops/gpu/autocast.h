// Autocast on a GPU, for as long as this lives.
#ifndef SPION_OPS_GPU_AUTOCAST_H_
#define SPION_OPS_GPU_AUTOCAST_H_

#include <ATen/autocast_mode.h>

namespace spion {

class AutocastToBfloat16 {
 public:
  AutocastToBfloat16() {
    at::autocast::set_autocast_enabled(at::kCUDA, true);
    at::autocast::set_autocast_dtype(at::kCUDA, at::kBFloat16);
  }
  ~AutocastToBfloat16() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCUDA, false);
  }
};

}  // namespace spion

#endif  // SPION_OPS_GPU_AUTOCAST_H_
