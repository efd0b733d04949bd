// What this program was built from, as known when it was linked.
#ifndef SPION_PLATFORM_BUILD_INFO_H_
#define SPION_PLATFORM_BUILD_INFO_H_

namespace spion {

struct BuildInfo {
  const char* commit;  // "unknown" outside a git checkout
  bool dirty;          // the checkout had uncommitted changes
  const char* torch_version;
  const char* cuda_version;  // of nvcc; empty for a build without
};

BuildInfo GetBuildInfo();

}  // namespace spion

#endif  // SPION_PLATFORM_BUILD_INFO_H_
