// Runs CUDA kernels on the CPU, for tests where there is no GPU: a host compiler takes the device
// code as it is (instructions.h stands in for what only a GPU has), and each thread of a thread
// block is a fiber.
//
//   RunKernel({.grid = {4, 2, 1}, .threads = 128, .shared_bytes = 8192, .seed = 1},
//             [&] { MyKernel(arguments); });
//
// It finds what a GPU may hide: an asynchronous copy arrives only when its thread waits for it, and
// until then, as at the start, shared memory is all ones (NaN); threads run in an order drawn from
// the seed, lose their turn at waits, and now and then a warp is held back. A barrier that not all
// reach, a misaligned address or one outside shared memory end the program with a message. Slow:
// some 10^5 instructions of a warp a second. One kernel at a time.
#ifndef SPION_KERNELS_CUDA_EMULATION_THREAD_BLOCK_H_
#define SPION_KERNELS_CUDA_EMULATION_THREAD_BLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

namespace spion {

struct EmulatedIndex {
  unsigned x = 0;
  unsigned y = 0;
  unsigned z = 0;
};

struct EmulatedLaunch {
  EmulatedIndex grid;
  int threads = 0;  // of a thread block, at most 1024
  int shared_bytes = 0;
  uint64_t seed = 0;
  int resident = 1;  // thread blocks that run at once, and may wait for each other
};

/// Runs `kernel` once in every thread of every thread block, `resident` of them side by side.
void RunKernel(const EmulatedLaunch& launch, const std::function<void()>& kernel);

// What instructions.h is made of. To be called from a running kernel.
namespace emulation {

constexpr int kWarpLanes = 32;

const EmulatedIndex& ThreadIndex();
const EmulatedIndex& BlockIndex();
const EmulatedIndex& GridSize();
/// Which of the resident thread blocks runs, from 0 on.
int Resident();

/// Dynamic shared memory.
char* SharedMemory();
/// Its address: the window begins with bytes that are not the thread block's, as on a GPU.
constexpr uint32_t kSharedStart = 1024;
/// What is at an address of the window: `bytes` bytes, aligned as such.
char* SharedAt(uint32_t address, int bytes);

/// Barrier `number` (0: __syncthreads) of `threads` threads; of the thread block; of the warp.
void Barrier(int number, int threads);
/// Counts as there, without waiting.
void ArriveAtBarrier(int number, int threads);
void BlockBarrier();
void WarpBarrier();

void StartCopy(uint32_t to, const void* from, int bytes);
void CommitCopies();
void WaitForCopies(int pending);

/// The thread's turn may be over, or is; other threads must then do something, or the program ends.
void MaybeYield();
void Yield();
/// The thread has told other thread blocks something: now and then its own then does nothing for
/// long.
void MayFallBehind();
/// A random number from the launch's seed.
uint64_t Draw();
/// Ends the program with a message.
[[noreturn]] void Fail(const char* what, uint32_t value);

/// 32 slots of kSlotBytes of the current warp.
constexpr int kSlotBytes = 64;
char* WarpSlots();

/// What each lane of the warp has given.
template <typename T>
std::array<T, kWarpLanes> Exchange(const T& value) {
  static_assert(sizeof(T) <= kSlotBytes);
  char* slots = WarpSlots();
  std::memcpy(slots + ThreadIndex().x % kWarpLanes * kSlotBytes, &value, sizeof(T));
  WarpBarrier();
  std::array<T, kWarpLanes> values;
  for (int lane = 0; lane < kWarpLanes; ++lane) {
    std::memcpy(&values[lane], slots + lane * kSlotBytes, sizeof(T));
  }
  WarpBarrier();
  return values;
}

}  // namespace emulation
}  // namespace spion

#endif  // SPION_KERNELS_CUDA_EMULATION_THREAD_BLOCK_H_
