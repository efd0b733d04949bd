#include "spion/ops/gpu/precision.h"

#include <ATen/Context.h>

namespace spion {

const char* Name(TestPrecision precision) {
  switch (precision) {
    case TestPrecision::kFp16:
      return "Fp16";
    case TestPrecision::kBf16:
      return "Bf16";
    case TestPrecision::kTf32:
      return "Tf32";
    case TestPrecision::kFp32:
      return "Fp32";
  }
  return "Unknown";
}

at::ScalarType ScalarTypeOf(TestPrecision precision) {
  switch (precision) {
    case TestPrecision::kFp16:
      return at::kHalf;
    case TestPrecision::kBf16:
      return at::kBFloat16;
    case TestPrecision::kTf32:
    case TestPrecision::kFp32:
      return at::kFloat;
  }
  return at::ScalarType::Undefined;
}

Float32Math Float32MathOf(TestPrecision precision) {
  return precision == TestPrecision::kFp32 ? Float32Math::kExact : Float32Math::kTf32;
}

double Roundoff(TestPrecision precision) {
  switch (precision) {
    case TestPrecision::kFp16:
    case TestPrecision::kTf32:
      return 0x1p-11;
    case TestPrecision::kBf16:
      return 0x1p-8;
    case TestPrecision::kFp32:
      return 0x1p-24;
  }
  return 0;
}

FrameworkPrecision::FrameworkPrecision(TestPrecision precision)
    : before_(at::globalContext().allowTF32CuBLAS()) {
  at::globalContext().setAllowTF32CuBLAS(precision == TestPrecision::kTf32);
}

FrameworkPrecision::~FrameworkPrecision() { at::globalContext().setAllowTF32CuBLAS(before_); }

}  // namespace spion
