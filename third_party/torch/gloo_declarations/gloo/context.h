// What LibTorch's ProcessGroupGloo.hpp needs of Gloo, whose own headers the wheel has not: it holds
// pointers to Gloo's types and calls no inline function of theirs, so declarations suffice. They
// fit the LibTorch of third_party/versions.env, and the check below holds them to it;
// //spion/collective:gloo_group_test runs what is built on them.
#ifndef THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_CONTEXT_H_
#define THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_CONTEXT_H_

#include <torch/headeronly/version.h>

#include <chrono>

static_assert(TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR == 11,
              "look whether LibTorch's ProcessGroupGloo.hpp needs other declarations");

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo

#endif  // THIRD_PARTY_TORCH_GLOO_DECLARATIONS_GLOO_CONTEXT_H_
