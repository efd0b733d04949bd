#include "spion/platform/float32_math.h"

#include <ATen/Context.h>

namespace spion {

Float32Math LibTorchFloat32Math() {
  return at::globalContext().allowTF32CuBLAS() ? Float32Math::kTf32 : Float32Math::kExact;
}

}  // namespace spion
