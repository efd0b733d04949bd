// Of the list in baselines/methods.bzl.
#include "baselines/make_method.h"
#include "baselines/reformer/reformer_attention.h"

namespace spion {

Method ReformerMethod() {
  return MakeMethod<ReformerAttention>("reformer",
                                       "Reformer: LSH attention, 2 rounds, chunks of 64");
}

}  // namespace spion
