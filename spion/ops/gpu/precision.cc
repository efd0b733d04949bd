#include "spion/ops/gpu/precision.h"

#include <ATen/Context.h>

namespace spion {

const char* Name(Precision precision) {
  switch (precision) {
    case Precision::kFp16:
      return "Fp16";
    case Precision::kBf16:
      return "Bf16";
    case Precision::kTf32:
      return "Tf32";
    case Precision::kFp32:
      return "Fp32";
  }
  return "Unknown";
}

at::ScalarType ScalarTypeOf(Precision precision) {
  switch (precision) {
    case Precision::kFp16:
      return at::kHalf;
    case Precision::kBf16:
      return at::kBFloat16;
    case Precision::kTf32:
    case Precision::kFp32:
      return at::kFloat;
  }
  return at::ScalarType::Undefined;
}

Float32Math Float32MathOf(Precision precision) {
  return precision == Precision::kFp32 ? Float32Math::kExact : Float32Math::kTf32;
}

double Roundoff(Precision precision) {
  switch (precision) {
    case Precision::kFp16:
    case Precision::kTf32:
      return 0x1p-11;
    case Precision::kBf16:
      return 0x1p-8;
    case Precision::kFp32:
      return 0x1p-24;
  }
  return 0;
}

FrameworkPrecision::FrameworkPrecision(Precision precision)
    : before_(at::globalContext().allowTF32CuBLAS()) {
  at::globalContext().setAllowTF32CuBLAS(precision == Precision::kTf32);
}

FrameworkPrecision::~FrameworkPrecision() { at::globalContext().setAllowTF32CuBLAS(before_); }

}  // namespace spion
