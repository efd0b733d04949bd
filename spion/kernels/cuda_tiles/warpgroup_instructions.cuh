// The PTX of sm_90a that the kernels for Hopper use: barriers in shared memory, bulk copies of
// tiles, and matrix products of a warpgroup, which are four consecutive warps. Beside
// instructions.cuh the only place with inline assembly.
//
// Addresses are of shared memory: byte offsets in its window, as __cvta_generic_to_shared gives.
#ifndef SPION_KERNELS_CUDA_TILES_WARPGROUP_INSTRUCTIONS_CUH_
#define SPION_KERNELS_CUDA_TILES_WARPGROUP_INSTRUCTIONS_CUH_

#include <cstdint>
#include <type_traits>

#include "spion/kernels/common/number.h"

namespace spion::tiles {

/// Whether a product adds to what `sum` was: a fresh sum depends on nothing before it.
enum class Adds { kNo, kYes };

}  // namespace spion::tiles

#ifndef __CUDACC__
#include "spion/kernels/cuda_emulation/warpgroup_instructions.h"
#else

#include <cuda.h>

namespace spion::tiles {

/// Says where a bulk copy finds the tiles of a [B, H, L, d] tensor; cuda_hopper/tile_map.h makes
/// it.
using TileMap = CUtensorMap;

// ---- Barriers of 8 bytes ----
//
// A barrier completes a phase when all its arrivals have come and all announced bytes are there.
// Phases alternate in parity, the first is of parity 0; waiting for parity 1 of a fresh barrier
// returns at once.

__device__ __forceinline__ void InitBarrier(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
/// Makes fresh barriers known to bulk copies.
__device__ __forceinline__ void PublishBarriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void Arrive(uint32_t barrier) {
  asm volatile("{ .reg .b64 state; mbarrier.arrive.shared::cta.b64 state, [%0]; }" ::"r"(barrier)
               : "memory");
}
/// Arrives, and announces bytes that copies will bring.
__device__ __forceinline__ void ArriveAnnouncing(uint32_t barrier, uint32_t bytes) {
  asm volatile(
      "{ .reg .b64 state; mbarrier.arrive.expect_tx.shared::cta.b64 state, [%0], %1; }" ::"r"(
          barrier),
      "r"(bytes)
      : "memory");
}
__device__ __forceinline__ bool PhaseIsOver(uint32_t barrier, uint32_t parity) {
  uint32_t over;
  asm volatile(
      "{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; "
      "selp.u32 %0, 1, 0, p; }"
      : "=r"(over)
      : "r"(barrier), "r"(parity)
      : "memory");
  return over != 0;
}
__device__ __forceinline__ void WaitForPhase(uint32_t barrier, uint32_t parity) {
  while (!PhaseIsOver(barrier, parity)) {
  }
}

// ---- Bulk copies ----

/// The box at `row` of a head, of a map, to `to`; its bytes count for
/// `barrier`.
__device__ __forceinline__ void CopyTile(uint32_t to, const TileMap& map, uint32_t barrier,
                                         int32_t row, int32_t head, int32_t example) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%3, %4, %3, %5, %6}], [%2];" ::"r"(to),
      "l"(reinterpret_cast<uint64_t>(&map)), "r"(barrier), "r"(0), "r"(row), "r"(head), "r"(example)
      : "memory");
}
/// A multiple of 16 bytes, from and to a multiple of 16.
__device__ __forceinline__ void CopyBulk(uint32_t to, const void* from, uint32_t bytes,
                                         uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(to),
      "l"(from), "r"(bytes), "r"(barrier)
      : "memory");
}

/// 16 bytes to shared memory.
__device__ __forceinline__ void StoreShared(uint32_t to, const uint4& words) {
  asm volatile("st.shared.v4.u32 [%0], {%1,%2,%3,%4};" ::"r"(to), "r"(words.x), "r"(words.y),
               "r"(words.z), "r"(words.w)
               : "memory");
}
/// Makes what the thread has written to shared memory known to products and bulk copies that
/// others start after a barrier.
__device__ __forceinline__ void PublishWrites() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

// ---- Sums in device memory ----

/// Adds four floats to those at `to`, aligned to 16 bytes, in the background: whoever is to see
/// them is a later kernel.
__device__ __forceinline__ void AddToGlobal(float* to, const float4& values) {
  asm volatile("red.relaxed.gpu.global.add.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(to), "f"(values.x),
               "f"(values.y), "f"(values.z), "f"(values.w)
               : "memory");
}

// ---- Between thread blocks ----
//
// Counters in device memory tell of what bulk copies have stored or read there.

/// What the thread knows to be in device memory, or to have been read from there, is so for whoever
/// then sees the counter.
__device__ __forceinline__ void CountUp(uint32_t* counter) {
  asm volatile("fence.proxy.async; red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter)
               : "memory");
}
/// Until the counter is at least `least`; copies may follow.
__device__ __forceinline__ void WaitForCount(const uint32_t* counter, uint32_t least) {
  uint32_t count;
  do {
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(count) : "l"(counter) : "memory");
  } while (count < least);
  asm volatile("fence.proxy.async;" ::: "memory");
}
/// What the counter was before it is one more.
__device__ __forceinline__ uint32_t TakeNumber(uint32_t* counter) {
  uint32_t number;
  asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], 1;"
               : "=r"(number)
               : "l"(counter)
               : "memory");
  return number;
}

// ---- Registers ----

/// All warps of a warpgroup; the kernel's launch bounds decide how many a thread has at the start.
template <int kRegisters>
__device__ __forceinline__ void GiveRegistersBack() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void TakeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
/// word |= bits, which the compiler takes for a change even if it is none.
__device__ __forceinline__ void Or(uint32_t& word, uint32_t bits) {
  asm volatile("or.b32 %0, %0, %1;" : "+r"(word) : "r"(bits));
}

// ---- Products of a warpgroup ----
//
// They run in the background: between BeginProducts and the wait, nobody writes their operands or
// reads their sums. Element e of a thread's sum[4 t + e] is at row 16 w + g + 8 (e / 2), column
// 8 t + 2 c + e % 2: w the warp in its group, g and c the lane's place in fragments, as of mma.

/// Orders what was written to registers before the products that follow.
__device__ __forceinline__ void BeginProducts() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
/// Ends a group of products.
__device__ __forceinline__ void CommitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Until at most kPending of the latest groups are under way.
template <int kPending>
__device__ __forceinline__ void WaitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
/// The compiler may not read `values` before this point: they are the sums of products waited for.
template <int kValues>
__device__ __forceinline__ void Receive(float (&values)[kValues]) {
#pragma unroll
  for (int i = 0; i < kValues; ++i) asm volatile("" : "+f"(values[i])::"memory");
}

// clang-format off
#define SPION_SUM_NAMES_32 "{" \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15" \
  "}"
#define SPION_SUM_NAMES_64 "{" \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31" \
  "}"
#define SPION_SUM_NAMES_128 "{" \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63" \
  "}"
#define SPION_SUMS_8(f, i) f(sum[i]), f(sum[i + 1]), f(sum[i + 2]), f(sum[i + 3]), \
  f(sum[i + 4]), f(sum[i + 5]), f(sum[i + 6]), f(sum[i + 7])
#define SPION_SUMS_32(f) SPION_SUMS_8(f, 0), SPION_SUMS_8(f, 8)
#define SPION_SUMS_64(f) SPION_SUMS_8(f, 0), SPION_SUMS_8(f, 8), SPION_SUMS_8(f, 16), SPION_SUMS_8(f, 24)
#define SPION_SUMS_128(f) SPION_SUMS_64(f), SPION_SUMS_8(f, 32), SPION_SUMS_8(f, 40), \
  SPION_SUMS_8(f, 48), SPION_SUMS_8(f, 56)
// f is how sums are bound. `left` is a descriptor, or four registers; operands are numbered on from
// the sums.
#define SPION_PRODUCT(columns, f, type, left, right, adds, transposed, ...) \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %" adds ", 0; " \
               "wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." type "." type " " \
               SPION_SUM_NAMES_##columns ", " left ", %" right ", p, 1, 1, " transposed "; }" \
               : SPION_SUMS_##columns(f) : __VA_ARGS__)
// clang-format on

/// sum (+)= left right: 64 x 16 times 16 x 2 kValues. T is BFloat16 or Float16. Operands are named
/// by descriptors (cuda_hopper/tiles.cuh) or, on the left, the thread's fragment as of mma.
/// kByColumns: of the right operand, shared memory has rows of 2 kValues numbers, else rows of 16;
/// kLeftByColumns: of the left operand, rows of 64.
template <class T, bool kByColumns, Adds kAdds, bool kLeftByColumns = false, int kValues>
__device__ __forceinline__ void Product(float (&sum)[kValues], uint64_t left, uint64_t right) {
  static_assert(kValues == 16 || kValues == 32 || kValues == 64);
  constexpr bool kIsBFloat16 = std::is_same_v<T, BFloat16>;
  constexpr int kTransposed = kByColumns ? 1 : 0;
  constexpr int kLeftTransposed = kLeftByColumns ? 1 : 0;
  constexpr int kAddsBit = kAdds == Adds::kYes ? 1 : 0;
  if constexpr (kValues == 16 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(32, "=f", "bf16", "%16", "17", "18", "%19, %20", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 32 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(64, "=f", "bf16", "%32", "33", "34", "%35, %36", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 16 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(32, "+f", "bf16", "%16", "17", "18", "%19, %20", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 32 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(64, "+f", "bf16", "%32", "33", "34", "%35, %36", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 16 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(32, "=f", "f16", "%16", "17", "18", "%19, %20", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 32 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(64, "=f", "f16", "%32", "33", "34", "%35, %36", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 16 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(32, "+f", "f16", "%16", "17", "18", "%19, %20", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 32 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(64, "+f", "f16", "%32", "33", "34", "%35, %36", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 64 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(128, "=f", "bf16", "%64", "65", "66", "%67, %68", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 64 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(128, "+f", "bf16", "%64", "65", "66", "%67, %68", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 64 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(128, "=f", "f16", "%64", "65", "66", "%67, %68", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
  if constexpr (kValues == 64 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(128, "+f", "f16", "%64", "65", "66", "%67, %68", "l"(left), "l"(right),
                  "n"(kAddsBit), "n"(kLeftTransposed), "n"(kTransposed));
  }
}
template <class T, bool kByColumns, Adds kAdds, int kValues>
__device__ __forceinline__ void Product(float (&sum)[kValues], const uint32_t (&left)[4],
                                        uint64_t right) {
  static_assert(kValues == 16 || kValues == 32 || kValues == 64);
  constexpr bool kIsBFloat16 = std::is_same_v<T, BFloat16>;
  constexpr int kTransposed = kByColumns ? 1 : 0;
  constexpr int kAddsBit = kAdds == Adds::kYes ? 1 : 0;
  if constexpr (kValues == 16 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(32, "=f", "bf16", "{%16, %17, %18, %19}", "20", "21", "%22", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 32 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(64, "=f", "bf16", "{%32, %33, %34, %35}", "36", "37", "%38", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 16 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(32, "+f", "bf16", "{%16, %17, %18, %19}", "20", "21", "%22", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 32 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(64, "+f", "bf16", "{%32, %33, %34, %35}", "36", "37", "%38", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 16 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(32, "=f", "f16", "{%16, %17, %18, %19}", "20", "21", "%22", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 32 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(64, "=f", "f16", "{%32, %33, %34, %35}", "36", "37", "%38", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 16 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(32, "+f", "f16", "{%16, %17, %18, %19}", "20", "21", "%22", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 32 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(64, "+f", "f16", "{%32, %33, %34, %35}", "36", "37", "%38", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 64 && kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(128, "=f", "bf16", "{%64, %65, %66, %67}", "68", "69", "%70", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 64 && kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(128, "+f", "bf16", "{%64, %65, %66, %67}", "68", "69", "%70", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 64 && !kIsBFloat16 && kAdds == Adds::kNo) {
    SPION_PRODUCT(128, "=f", "f16", "{%64, %65, %66, %67}", "68", "69", "%70", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
  if constexpr (kValues == 64 && !kIsBFloat16 && kAdds == Adds::kYes) {
    SPION_PRODUCT(128, "+f", "f16", "{%64, %65, %66, %67}", "68", "69", "%70", "r"(left[0]),
                  "r"(left[1]), "r"(left[2]), "r"(left[3]), "l"(right), "n"(kAddsBit),
                  "n"(kTransposed));
  }
}

#undef SPION_PRODUCT
#undef SPION_SUMS_128
#undef SPION_SUMS_64
#undef SPION_SUMS_32
#undef SPION_SUMS_8
#undef SPION_SUM_NAMES_128
#undef SPION_SUM_NAMES_64
#undef SPION_SUM_NAMES_32

}  // namespace spion::tiles

#endif  // __CUDACC__

#endif  // SPION_KERNELS_CUDA_TILES_WARPGROUP_INSTRUCTIONS_CUH_
