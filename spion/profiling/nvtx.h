// The ranges of range.h as NVTX sees them. Private to spion/profiling; nvtx.cc implements it where
// there is a CUDA toolkit, nvtx_absent.cc elsewhere, doing nothing.
#ifndef SPION_PROFILING_NVTX_H_
#define SPION_PROFILING_NVTX_H_

#include <cstdint>

#include "spion/profiling/range.h"

namespace spion::nvtx {

void Push(Region region, const RangeLabel& label);
/// Ends the range that this thread pushed last.
void Pop();

/// Returns what End takes.
uint64_t Start(Region region, const RangeLabel& label);
void End(uint64_t id);

}  // namespace spion::nvtx

#endif  // SPION_PROFILING_NVTX_H_
