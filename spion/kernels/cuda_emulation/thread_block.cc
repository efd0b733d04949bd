#include "spion/kernels/cuda_emulation/thread_block.h"

#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace spion {
namespace {

constexpr size_t kStackBytes = size_t{256} * 1024;
constexpr int kNamedBarriers = 16;
constexpr int kUnset = 0xff;
constexpr int kNone = -1;
constexpr int kRoundsHeldBack = 64;  // a warp
constexpr int kRoundsBehind = 4096;  // a thread block

using emulation::Fail;

struct PendingCopy {
  uint32_t to;
  const void* from;
  int bytes;
  int group;
};

struct Fiber {
  EmulatedIndex index;
  ucontext_t context;
  std::unique_ptr<char[]> stack;
  bool done = false;
  std::vector<PendingCopy> copies;
  int group = 0;  // of the copies to come
};

struct BarrierState {
  int arrived = 0;
  int64_t generation = 0;
};

class ThreadBlock {
 public:
  ThreadBlock(const EmulatedLaunch& launch, const std::function<void()>& kernel, int resident)
      : launch_(launch),
        kernel_(kernel),
        resident_(resident),
        random_(launch.seed + static_cast<uint64_t>(resident)),
        fibers_(launch.threads),
        warps_((launch.threads + emulation::kWarpLanes - 1) / emulation::kWarpLanes),
        slots_(warps_.size() * emulation::kWarpLanes * emulation::kSlotBytes),
        shared_(launch.shared_bytes + kAlignment) {
    for (int i = 0; i < launch.threads; ++i) {
      fibers_[i].index.x = static_cast<unsigned>(i);
      fibers_[i].stack = std::make_unique<char[]>(kStackBytes);
    }
  }

  void Begin(const EmulatedIndex& index);
  /// Threads that are not done.
  size_t waiting() const { return order_.size(); }
  /// A turn of every thread, but for those of a warp that is held back. False if nothing came of it
  /// and nobody was held back.
  bool RunRound();

  /// Whether it leaves a round out.
  bool IsBehind() {
    if (behind_ == 0) return false;
    --behind_;
    return true;
  }
  void FallBehind() { behind_ = kRoundsBehind; }
  void CatchUp() { behind_ = 0; }

  Fiber& current() { return fibers_[current_]; }
  int resident() const { return resident_; }
  const EmulatedLaunch& launch() const { return launch_; }
  const EmulatedIndex& index() const { return index_; }
  char* shared() {
    const auto address = reinterpret_cast<uintptr_t>(shared_.data());
    return shared_.data() + (kAlignment - address % kAlignment) % kAlignment;
  }
  char* slots(int warp) {
    return slots_.data() +
           static_cast<size_t>(warp) * emulation::kWarpLanes * emulation::kSlotBytes;
  }
  BarrierState& named(int number) { return named_[number]; }
  BarrierState& warp(int warp) { return warps_[warp]; }

  void Wait(BarrierState& barrier, int threads) {
    const int64_t generation = barrier.generation;
    Arrive(barrier, threads);
    while (barrier.generation == generation) Yield();
  }
  void Arrive(BarrierState& barrier, int threads) {
    if (++barrier.arrived < threads) return;
    barrier.arrived = 0;
    ++barrier.generation;
    ++progress_;
  }
  void MaybeYield() {
    ++progress_;
    if (random_() % 2 == 0) Yield();
  }
  void Yield() { swapcontext(&current().context, &scheduler_); }
  uint64_t Draw() { return random_(); }

 private:
  static constexpr size_t kAlignment = 1024;

  static void Start();
  static void Prepare(Fiber& fiber);

  EmulatedLaunch launch_;
  const std::function<void()>& kernel_;
  int resident_;
  std::mt19937_64 random_;
  std::vector<Fiber> fibers_;
  std::vector<BarrierState> warps_;
  BarrierState named_[kNamedBarriers];
  std::vector<char> slots_;
  std::vector<char> shared_;
  EmulatedIndex index_;
  ucontext_t scheduler_ = {};
  std::vector<int> order_;  // of the threads that are not done
  int64_t round_ = 0;
  int held_back_ = kNone;  // a warp
  int behind_ = 0;         // rounds to leave out
  int current_ = 0;
  int64_t progress_ = 0;
};

ThreadBlock* running = nullptr;

void ThreadBlock::Prepare(Fiber& fiber) {
  fiber.done = false;
  fiber.copies.clear();
  fiber.group = 0;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStackBytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, &ThreadBlock::Start, 0);
}

void ThreadBlock::Start() {
  ThreadBlock& block = *running;
  block.kernel_();
  block.current().done = true;
  ++block.progress_;
  block.Yield();
}

void ThreadBlock::Begin(const EmulatedIndex& index) {
  index_ = index;
  std::fill(shared_.begin(), shared_.end(), static_cast<char>(kUnset));
  std::fill(warps_.begin(), warps_.end(), BarrierState());
  std::fill(std::begin(named_), std::end(named_), BarrierState());
  for (Fiber& fiber : fibers_) Prepare(fiber);
  order_.resize(fibers_.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::shuffle(order_.begin(), order_.end(), random_);
  held_back_ = kNone;
  round_ = 0;
}

bool ThreadBlock::RunRound() {
  // A warp that falls behind shows where others should have waited for it.
  if (round_++ % kRoundsHeldBack == 0) held_back_ = static_cast<int>(random_() % warps_.size());
  const int64_t before = progress_;
  for (int i : order_) {
    if (i / emulation::kWarpLanes == held_back_) continue;
    current_ = i;
    swapcontext(&scheduler_, &fibers_[i].context);
  }
  order_.erase(std::remove_if(order_.begin(), order_.end(), [&](int i) { return fibers_[i].done; }),
               order_.end());
  if (progress_ != before) return true;
  const bool held_back = held_back_ != kNone;
  held_back_ = kNone;  // until the next draw
  return held_back;
}

/// All indices of a grid.
std::vector<EmulatedIndex> AllOf(const EmulatedIndex& grid) {
  std::vector<EmulatedIndex> all;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) all.push_back({x, y, z});
    }
  }
  return all;
}

}  // namespace

void RunKernel(const EmulatedLaunch& launch, const std::function<void()>& kernel) {
  std::vector<std::unique_ptr<ThreadBlock>> blocks;
  for (int i = 0; i < launch.resident; ++i) {
    blocks.push_back(std::make_unique<ThreadBlock>(launch, kernel, i));
  }
  const std::vector<EmulatedIndex> indices = AllOf(launch.grid);
  size_t begun = 0;
  for (;;) {
    size_t waiting = 0;
    bool proceeds = false;
    bool any_behind = false;
    for (const auto& block : blocks) {
      if (block->waiting() == 0 && begun < indices.size()) block->Begin(indices[begun++]);
      waiting += block->waiting();
      if (block->waiting() == 0) continue;
      if (block->IsBehind()) {
        any_behind = true;
        continue;
      }
      running = block.get();
      if (block->RunRound()) proceeds = true;
    }
    if (waiting == 0) break;
    if (proceeds) continue;
    if (!any_behind) {
      Fail("threads wait for each other, so many", static_cast<uint32_t>(waiting));
    }
    for (const auto& block : blocks) block->CatchUp();
  }
  running = nullptr;
}

namespace emulation {
namespace {

int Warp() { return static_cast<int>(ThreadIndex().x) / kWarpLanes; }

}  // namespace

const EmulatedIndex& ThreadIndex() { return running->current().index; }
const EmulatedIndex& BlockIndex() { return running->index(); }
const EmulatedIndex& GridSize() { return running->launch().grid; }
int Resident() { return running->resident(); }

char* SharedMemory() { return running->shared(); }
char* SharedAt(uint32_t address, int bytes) {
  if (address % bytes != 0) Fail("misaligned shared address", address);
  const auto end = kSharedStart + static_cast<uint32_t>(running->launch().shared_bytes);
  if (address < kSharedStart || address + bytes > end) {
    Fail("address outside shared memory", address);
  }
  return running->shared() + (address - kSharedStart);
}

void Barrier(int number, int threads) { running->Wait(running->named(number), threads); }
void ArriveAtBarrier(int number, int threads) { running->Arrive(running->named(number), threads); }
void BlockBarrier() { Barrier(0, running->launch().threads); }
void WarpBarrier() { running->Wait(running->warp(Warp()), kWarpLanes); }

void StartCopy(uint32_t to, const void* from, int bytes) {
  if (reinterpret_cast<uintptr_t>(from) % bytes != 0) Fail("misaligned source of a copy", to);
  std::memset(SharedAt(to, bytes), kUnset, bytes);
  Fiber& fiber = running->current();
  fiber.copies.push_back({to, from, bytes, fiber.group});
}
void CommitCopies() { ++running->current().group; }
void WaitForCopies(int pending) {
  Fiber& fiber = running->current();
  std::vector<PendingCopy> under_way;
  for (const PendingCopy& copy : fiber.copies) {
    if (copy.group < fiber.group - pending) {
      std::memcpy(SharedAt(copy.to, copy.bytes), copy.from, copy.bytes);
    } else {
      under_way.push_back(copy);
    }
  }
  fiber.copies = std::move(under_way);
  running->MaybeYield();
}

void MaybeYield() { running->MaybeYield(); }
void Yield() { running->Yield(); }
void MayFallBehind() {
  if (running->launch().resident > 1 && running->Draw() % 4 == 0) running->FallBehind();
  running->MaybeYield();
}
uint64_t Draw() { return running->Draw(); }
void Fail(const char* what, uint32_t value) {
  std::fprintf(stderr, "emulated kernel: %s (%u)\n", what, value);
  std::abort();
}

char* WarpSlots() { return running->slots(Warp()); }

}  // namespace emulation
}  // namespace spion
