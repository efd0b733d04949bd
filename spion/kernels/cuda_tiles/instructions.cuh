// The PTX that the kernels use, but for that of warpgroups (warpgroup_instructions.cuh): no other
// place has inline assembly. On a host compiler, spion/kernels/cuda_emulation stands in for it and
// for CUDA's own built-ins, so that tests run kernels without a GPU.
//
// Addresses are of shared memory: byte offsets in its window, as __cvta_generic_to_shared gives.
#ifndef SPION_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_
#define SPION_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_

#include <cstdint>

#ifndef __CUDACC__
#include "spion/kernels/cuda_emulation/instructions.h"
#else

namespace spion::tiles {

constexpr unsigned kAllLanes = 0xffffffffU;

/// The thread block's dynamic shared memory.
__device__ __forceinline__ char* SharedMemory() {
  extern __shared__ uint4 memory[];
  return reinterpret_cast<char*>(memory);
}

/// 2^x to two units in the last place; below 2^-126: 0.
__device__ __forceinline__ float Exp2(float x) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
}

/// fp32 rounded to tf32, as bits.
__device__ __forceinline__ uint32_t RoundToTf32(float x) {
  uint32_t rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
  return rounded;
}

/// Of each half of a word: all bits set if its highest is, else none.
__device__ __forceinline__ uint32_t SpreadSigns(uint32_t halves) {
  uint32_t spread;
  asm("prmt.b32 %0, %1, 0, 0xbb99;" : "=r"(spread) : "r"(halves));
  return spread;
}
/// All bits set if the highest of half kHalf (0: the low one) is, else none.
template <int kHalf>
__device__ __forceinline__ uint32_t SpreadSign(uint32_t halves) {
  uint32_t spread;
  asm("prmt.b32 %0, %1, 0, %2;" : "=r"(spread) : "r"(halves), "n"(kHalf == 0 ? 0x9999 : 0xbbbb));
  return spread;
}

/// Element (i, j) of an 8 x 8 matrix of 16-bit elements goes where (j, i) was.
__device__ __forceinline__ uint32_t Transpose8x8(uint32_t pair) {
  uint32_t transposed;
  asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(pair));
  return transposed;
}

// sum += a b with the fragments of mma: 16 x 16 times 16 x 8, in tf32 16 x 8 times 8 x 8.
__device__ __forceinline__ void MmaF16(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                       uint32_t a3, uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
__device__ __forceinline__ void MmaBF16(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                        uint32_t a3, uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
__device__ __forceinline__ void MmaTf32(float (&sum)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                        uint32_t a3, uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
      "{%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

/// kBytes (4, 8 or 16) from global to shared memory, in the background.
template <int kBytes>
__device__ __forceinline__ void CopyAsync(uint32_t to, const void* from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(from), "n"(kBytes)
               : "memory");
}
/// 16 bytes, past the L1 cache.
__device__ __forceinline__ void CopyAsyncPastL1(uint32_t to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}
/// Ends a group of copies.
__device__ __forceinline__ void CommitCopies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Until at most kPending of the thread's latest groups are under way.
template <int kPending>
__device__ __forceinline__ void WaitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

/// 16 or 8 bytes.
__device__ __forceinline__ void LoadShared(uint32_t (&words)[4], uint32_t from) {
  asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(from)
               : "memory");
}
__device__ __forceinline__ void LoadShared(uint32_t (&words)[2], uint32_t from) {
  asm volatile("ld.shared.v2.u32 {%0,%1}, [%2];"
               : "=r"(words[0]), "=r"(words[1])
               : "r"(from)
               : "memory");
}

/// 16 or 8 bytes to device memory, in one store: of an assignment the compiler now and then makes
/// one for each member.
__device__ __forceinline__ void StoreGlobal(void* to, const float4& words) {
  asm volatile("st.global.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(to), "f"(words.x), "f"(words.y),
               "f"(words.z), "f"(words.w)
               : "memory");
}
__device__ __forceinline__ void StoreGlobal(void* to, const uint4& words) {
  asm volatile("st.global.v4.u32 [%0], {%1,%2,%3,%4};" ::"l"(to), "r"(words.x), "r"(words.y),
               "r"(words.z), "r"(words.w)
               : "memory");
}
__device__ __forceinline__ void StoreGlobal(void* to, const uint2& words) {
  asm volatile("st.global.v2.u32 [%0], {%1,%2};" ::"l"(to), "r"(words.x), "r"(words.y) : "memory");
}

// Four 8 x 8 matrices of 16-bit elements. `address` is that of a row: lane i has row i % 8 of
// matrix i / 8.
__device__ __forceinline__ void LoadMatrices(uint32_t (&words)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(address)
               : "memory");
}
__device__ __forceinline__ void LoadMatricesTransposed(uint32_t (&words)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(address)
               : "memory");
}
/// The inverse of LoadMatrices.
__device__ __forceinline__ void StoreMatrices(uint32_t address, const uint32_t (&words)[4]) {
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(address),
               "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3])
               : "memory");
#else
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    const uint32_t row = __shfl_sync(kAllLanes, address, 8 * i + lane / 4);
    asm volatile("st.shared.u32 [%0], %1;" ::"r"(row + 4 * (lane % 4)), "r"(words[i]) : "memory");
  }
#endif
}

/// A barrier of kThreads of the block's threads. The number is literal: of one in a register, the
/// compiler reserves all barriers. 0 is __syncthreads.
template <int kNumber, int kThreads>
__device__ __forceinline__ void NamedBarrier() {
  asm volatile("bar.sync %0, %1;" ::"n"(kNumber), "n"(kThreads) : "memory");
}

/// Counts as there, for threads that need not wait.
template <int kNumber, int kThreads>
__device__ __forceinline__ void ArriveAtNamedBarrier() {
  asm volatile("bar.arrive %0, %1;" ::"n"(kNumber), "n"(kThreads) : "memory");
}

// Programmatic dependent launch, where there is such a thing.
__device__ __forceinline__ void LetNextKernelStart() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
__device__ __forceinline__ void WaitForKernelBefore() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

}  // namespace spion::tiles

#endif  // __CUDACC__

#endif  // SPION_KERNELS_CUDA_TILES_INSTRUCTIONS_CUH_
