// Keeps the next steps of a walk on their way from memory while the current one is computed.
//
// Every warp has a ring of stages in shared memory, filled by asynchronous copies; a thread reads
// back what it copied itself, so the warps never wait for each other.
#ifndef SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_PIPELINE_CUH_
#define SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_PIPELINE_CUH_

#include "spion/kernels/block_sparse/cuda/warp/work.cuh"
#include "spion/kernels/cuda_tiles/rows.cuh"

namespace spion::cuda {

/// Calls prefetch(stage, position) kAhead steps before compute(stage, position), for every step of
/// the walk. `ring` is the warp's: kAhead + 1 stages of kStageBytes.
template <int kAhead, int kStageBytes, class Steps, class Prefetch, class Compute>
__device__ __forceinline__ void RunPipeline(Steps& walk, uint32_t ring, Prefetch&& prefetch,
                                            Compute&& compute) {
  int32_t ahead[kAhead];
#pragma unroll
  for (int i = 0; i < kAhead; ++i) {
    ahead[i] = walk.position();
    if (ahead[i] != Steps::kDone) {
      prefetch(ring + i * kStageBytes, ahead[i]);
      walk.Advance();
    }
    tiles::CommitCopies();
  }
  uint32_t stage = ring;
  uint32_t free_stage = ring + kAhead * kStageBytes;
  while (ahead[0] != Steps::kDone) {
    const int32_t next = walk.position();
    if (next != Steps::kDone) {
      prefetch(free_stage, next);  // its last reader was the step before this one
      walk.Advance();
    }
    tiles::CommitCopies();
    tiles::WaitForCopies<kAhead>();
    compute(stage, ahead[0]);
#pragma unroll
    for (int i = 0; i + 1 < kAhead; ++i) ahead[i] = ahead[i + 1];
    ahead[kAhead - 1] = next;
    free_stage = stage;
    stage = stage == ring + kAhead * kStageBytes ? ring : stage + kStageBytes;
  }
  tiles::WaitForCopies<0>();
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_BLOCK_SPARSE_CUDA_WARP_PIPELINE_CUH_
