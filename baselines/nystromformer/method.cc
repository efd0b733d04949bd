// Of the list in baselines/methods.bzl.
#include "baselines/make_method.h"
#include "baselines/nystromformer/nystromformer_attention.h"

namespace spion {

Method NystromformerMethod() {
  return MakeMethod<NystromformerAttention>("nystromformer",
                                            "Nystromformer: 128 landmarks by means");
}

}  // namespace spion
