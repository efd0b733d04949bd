// The precisions that GPU attention is tested in: an element type, and for fp32 how it multiplies.
#ifndef SPION_OPS_GPU_PRECISION_H_
#define SPION_OPS_GPU_PRECISION_H_

#include <c10/core/ScalarType.h>

#include "spion/kernels/common/number.h"

namespace spion {

enum class TestPrecision {
  kFp16,
  kBf16,
  kTf32,  // fp32 tensors, products in tf32
  kFp32,  // fp32 tensors, products in fp32
};

inline constexpr TestPrecision kPrecisions[] = {TestPrecision::kFp16, TestPrecision::kBf16,
                                                TestPrecision::kTf32, TestPrecision::kFp32};

/// "Fp16", "Bf16", "Tf32", "Fp32".
const char* Name(TestPrecision precision);

at::ScalarType ScalarTypeOf(TestPrecision precision);

Float32Math Float32MathOf(TestPrecision precision);

/// The unit roundoff of a product's operands: 2^-p for a significand of p bits.
double Roundoff(TestPrecision precision);

/// While it lives, LibTorch multiplies fp32 matrices on the GPU as `precision` says.
class FrameworkPrecision {
 public:
  explicit FrameworkPrecision(TestPrecision precision);
  ~FrameworkPrecision();
  FrameworkPrecision(const FrameworkPrecision&) = delete;
  FrameworkPrecision& operator=(const FrameworkPrecision&) = delete;

 private:
  bool before_;
};

}  // namespace spion

#endif  // SPION_OPS_GPU_PRECISION_H_
