// The methods of the Gaussian kernel, of the list in baselines/methods.bzl.
#include "baselines/make_method.h"
#include "baselines/skyformer/kernelised_attention.h"
#include "baselines/skyformer/skyformer_attention.h"

namespace spion {

Method SkyformerMethod() {
  return MakeMethod<SkyformerAttention>("skyformer", "Skyformer: Nystrom, 128 landmarks");
}

Method KernelisedMethod() {
  return MakeMethod<KernelisedAttention>("kernelised", "Gaussian kernel attention, exact");
}

}  // namespace spion
