// The passes of attention that are timed.
#ifndef BENCHMARKS_ATTENTION_PASS_H_
#define BENCHMARKS_ATTENTION_PASS_H_

namespace spion {

enum class Pass {
  kForward,   // "fwd": without what a backward pass would need
  kBackward,  // "bwd": the gradients of q, k and v
  kBoth       // "fwdbwd"
};

constexpr Pass kPasses[] = {Pass::kForward, Pass::kBackward, Pass::kBoth};

constexpr const char* PassName(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return "fwd";
    case Pass::kBackward:
      return "bwd";
    case Pass::kBoth:
      return "fwdbwd";
  }
  return "";
}

}  // namespace spion

#endif  // BENCHMARKS_ATTENTION_PASS_H_
