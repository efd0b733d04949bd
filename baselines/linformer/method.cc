// Of the list in baselines/methods.bzl.
#include "baselines/linformer/linformer_attention.h"
#include "baselines/make_method.h"

namespace spion {

Method LinformerMethod() {
  return MakeMethod<LinformerAttention>("linformer", "Linformer: keys projected to 256");
}

}  // namespace spion
