// The methods of full attention, of the list in baselines/methods.bzl.
#include "baselines/dense/dense_attention.h"
#include "baselines/make_method.h"
#include "spion/nn/every_block_attention.h"
#include "spion/nn/fused_dense_attention.h"

namespace spion {

Method DenseMethod() {
  return MakeMethod<DenseAttention>("dense", "full softmax attention, probabilities in memory");
}

Method SdpaMethod() {
  return MakeMethod<FusedDenseAttention>("sdpa", "full softmax attention, fused (LibTorch)");
}

Method EveryBlockMethod() {
  Method method = MakeMethod<EveryBlockAttention>(
      "every_block",
      "full softmax attention, every block kept (LibTorch's where the kernels do not take it)");
  method.has_every_block = true;
  return method;
}

}  // namespace spion
