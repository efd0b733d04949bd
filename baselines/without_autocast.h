// Runs LibTorch's operators on the element types that they are given, whatever autocast would make
// of them, until the end of the scope: for methods that choose the type of each step themselves.
#ifndef BASELINES_WITHOUT_AUTOCAST_H_
#define BASELINES_WITHOUT_AUTOCAST_H_

#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace spion {

class WithoutAutocast {
 private:
  c10::impl::ExcludeDispatchKeyGuard excluded_{c10::autocast_dispatch_keyset};
};

}  // namespace spion

#endif  // BASELINES_WITHOUT_AUTOCAST_H_
