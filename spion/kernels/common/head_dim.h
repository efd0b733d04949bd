// Which head dimensions the kernels of attention are made for, and the way from one at run time to
// the template of it.
#ifndef SPION_KERNELS_COMMON_HEAD_DIM_H_
#define SPION_KERNELS_COMMON_HEAD_DIM_H_

#include <cstdint>

namespace spion {

/// What a head dimension must be, for messages.
inline constexpr char kHeadDims[] = "16, 32, 64 or 128";

/// Whether the kernels take heads of d numbers.
constexpr bool TakesHeadDim(int64_t d) { return d == 16 || d == 32 || d == 64 || d == 128; }

/// Returns f.operator()<d>(), a lambda [&]<int kHeadDim>() {..}, for a d that TakesHeadDim.
template <class F>
constexpr decltype(auto) DispatchHeadDim(int64_t d, F&& f) {
  switch (d) {
    case 16:
      return f.template operator()<16>();
    case 32:
      return f.template operator()<32>();
    case 64:
      return f.template operator()<64>();
    case 128:
      return f.template operator()<128>();
    default:
      break;
  }
  __builtin_unreachable();  // callers have checked
}

}  // namespace spion

#endif  // SPION_KERNELS_COMMON_HEAD_DIM_H_
