// ParallelFor over LibTorch's own threads, so that a training step has one set of threads.
#ifndef SPION_OPS_STABLE_PARALLEL_H_
#define SPION_OPS_STABLE_PARALLEL_H_

#include "spion/base/parallel.h"

namespace spion {

/// Tasks are handed out dynamically to LibTorch's intra-operator threads.
ParallelFor TorchParallelFor();

}  // namespace spion

#endif  // SPION_OPS_STABLE_PARALLEL_H_
