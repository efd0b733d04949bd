#include "spion/kernels/cuda_emulation/warpgroup.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "spion/kernels/cuda_emulation/thread_block.h"

namespace spion::emulation {
namespace {

constexpr uint32_t kChunkBytes = 16;
constexpr int kSwizzledRows = 8;
constexpr uint32_t kWordBytes = 4;
constexpr int kInner = 16;  // of a product
constexpr int kUnset = 0xff;

/// A tile's chunks change places within a row, by where 128 bytes of it lie.
uint32_t Swizzled(uint32_t address, uint32_t row_bytes) {
  return address ^ (address / 128 % (row_bytes / kChunkBytes) * kChunkBytes);
}

struct Phases {
  uint32_t arrivals = 0;
  uint32_t missing = 0;
  int64_t missing_bytes = 0;
  uint32_t over = 0;

  void CompleteIfDue() {
    if (missing > 0 || missing_bytes != 0) return;
    missing = arrivals;
    ++over;
  }
};

struct BulkCopy {
  std::function<void()> arrive;
  uint32_t barrier;
  uint32_t bytes;
  bool is_late;  // arrives only while somebody waits for it: else a missing wait may go unseen

  bool IsDueFor(uint32_t awaited) const { return !is_late || barrier == awaited; }
};

struct Product {
  ProductOperands operands;
  int group;
};

/// A thread's products, and what its sums were when the first of those under way was started.
struct Products {
  std::vector<Product> under_way;
  std::map<float*, std::vector<float>> sums;
  int group = 0;
  bool begun = false;
};

/// Of a thread block: barriers are made anew by each, and none leaves anything under way.
struct State {
  std::map<uint32_t, Phases> barriers;
  std::vector<BulkCopy> copies;
  std::map<unsigned, Products> products;                  // of each thread
  std::map<unsigned, std::vector<uint32_t>> unpublished;  // words that a thread stored
  std::vector<bool> is_unpublished;                       // by a word's number
};

/// Of the thread block that runs.
State& Own() {
  static std::map<int, State> states;  // by its place among the resident ones
  return states[Resident()];
}

Phases& At(uint32_t barrier) {
  SharedAt(barrier, 8);
  State& own = Own();
  const auto found = own.barriers.find(barrier);
  if (found == own.barriers.end()) Fail("a barrier that was not made", barrier);
  return found->second;
}

void StartCopyOf(uint32_t bytes, uint32_t barrier, std::function<void()> arrive) {
  At(barrier);
  Own().copies.push_back({std::move(arrive), barrier, bytes, Draw() % 2 == 0});
}

/// One of the copies that are due, from a random one on.
void ArriveOne(uint32_t awaited) {
  std::vector<BulkCopy>& copies = Own().copies;
  std::rotate(copies.begin(), copies.begin() + static_cast<int64_t>(Draw() % copies.size()),
              copies.end());
  const auto which = std::find_if(copies.begin(), copies.end(),
                                  [=](const BulkCopy& copy) { return copy.IsDueFor(awaited); });
  const BulkCopy copy = std::move(*which);
  copies.erase(which);
  copy.arrive();
  Phases& phases = At(copy.barrier);
  phases.missing_bytes -= copy.bytes;
  phases.CompleteIfDue();
}

/// An operand in shared memory, by its descriptor.
class Operand {
 public:
  explicit Operand(uint64_t name)
      : start_((name & 0x3fff) * kChunkBytes),
        next_panel_((name >> 16 & 0x3fff) * kChunkBytes),
        next_rows_((name >> 32 & 0x3fff) * kChunkBytes),
        row_bytes_(name >> 62 == kSwizzle128 ? 128 : 64) {
    if (name >> 62 != kSwizzle128 && name >> 62 != kSwizzle64) {
      Fail("an operand without the swizzle of 128 or 64 bytes", start_);
    }
  }

  /// Number i of row r, where rows hold the inner dimension.
  uint16_t AlongRow(uint32_t r, uint32_t i) const {
    return Number(r / kSwizzledRows * next_rows_ + r % kSwizzledRows * row_bytes_ + 2 * i);
  }
  /// Number `column` of row i, where rows are the inner dimension.
  uint16_t AlongColumn(uint32_t column, uint32_t i) const {
    const uint32_t panel = row_bytes_ / 2;
    return Number(column / panel * next_panel_ + i / kSwizzledRows * next_rows_ +
                  i % kSwizzledRows * row_bytes_ + column % panel * 2);
  }

 private:
  static constexpr uint64_t kSwizzle128 = 1;
  static constexpr uint64_t kSwizzle64 = 2;

  uint16_t Number(uint32_t offset) const {
    const uint32_t at = Swizzled(start_ + offset, row_bytes_);
    if (at / kWordBytes < unpublished_.size() && unpublished_[at / kWordBytes]) {
      Fail("an operand that a thread stored and did not publish", at);
    }
    uint16_t bits;
    std::memcpy(&bits, SharedAt(at, 2), 2);
    return bits;
  }

  uint32_t start_;
  uint32_t next_panel_;
  uint32_t next_rows_;
  uint32_t row_bytes_;
  const std::vector<bool>& unpublished_ = Own().is_unpublished;
};

/// The warp's lanes are all here, at the same product.
void Multiply(const ProductOperands& product, std::vector<float>& sum) {
  const uint32_t lane = ThreadIndex().x % kWarpLanes;
  const uint32_t warp = ThreadIndex().x / kWarpLanes % 4;
  const uint32_t g = lane / 4;
  const uint32_t c = lane % 4;
  float left[2][kInner];  // rows g, g + 8
  if (product.left != nullptr) {
    std::array<uint32_t, 4> own;
    std::memcpy(own.data(), product.left, sizeof(own));
    const auto all = Exchange(own);
    for (uint32_t r = 0; r < 2; ++r) {
      for (uint32_t i = 0; i < kInner; ++i) {
        const uint32_t pair = all[4 * g + i % 8 / 2][r + i / 8 * 2];
        left[r][i] = product.widen(static_cast<uint16_t>(i % 2 == 0 ? pair : pair >> 16));
      }
    }
  } else {
    WarpBarrier();
    const Operand operand(product.left_name);
    for (uint32_t r = 0; r < 2; ++r) {
      for (uint32_t i = 0; i < kInner; ++i) {
        const uint32_t row = 16 * warp + g + 8 * r;
        left[r][i] = product.widen(product.left_by_columns ? operand.AlongColumn(row, i)
                                                           : operand.AlongRow(row, i));
      }
    }
  }
  const Operand right(product.right_name);
  for (int v = 0; v < product.values; v += 4) {
    for (uint32_t e = 0; e < 2; ++e) {
      const uint32_t column = 2 * static_cast<uint32_t>(v) + 2 * c + e;
      for (uint32_t i = 0; i < kInner; ++i) {
        const float number = product.widen(product.by_columns ? right.AlongColumn(column, i)
                                                              : right.AlongRow(column, i));
        for (uint32_t r = 0; r < 2; ++r) {
          float& total = sum[v + 2 * r + e];
          if (i == 0 && !product.adds) total = 0;
          total += left[r][i] * number;
        }
      }
    }
  }
}

}  // namespace

void InitPhases(uint32_t barrier, uint32_t arrivals) {
  SharedAt(barrier, 8);
  State& own = Own();
  if (!own.copies.empty()) Fail("a barrier is made while copies are under way", barrier);
  own.unpublished.clear();
  own.is_unpublished.clear();
  own.barriers[barrier] = {.arrivals = arrivals, .missing = arrivals};
}
void ArriveAtPhase(uint32_t barrier, uint32_t announced_bytes) {
  Phases& phases = At(barrier);
  if (phases.missing == 0) Fail("more arrivals at a barrier than it waits for", barrier);
  phases.missing_bytes += announced_bytes;
  --phases.missing;
  phases.CompleteIfDue();
  MaybeYield();
}
bool PhaseIsOver(uint32_t barrier, uint32_t parity) {
  const Phases& phases = At(barrier);
  if (phases.over % 2 != parity) return true;
  constexpr uint64_t kOneIn = 16;  // so that copies come late
  const std::vector<BulkCopy>& copies = Own().copies;
  if (std::any_of(copies.begin(), copies.end(),
                  [=](const BulkCopy& copy) { return copy.IsDueFor(barrier); })) {
    if (Draw() % kOneIn == 0) ArriveOne(barrier);
    MaybeYield();
  } else {
    Yield();
  }
  return false;
}

void StartTileCopy(uint32_t to, const TileSource& source, uint32_t barrier, int32_t row,
                   int32_t head, int32_t example) {
  const uint32_t row_bytes = source.row_bytes;
  const uint32_t panel_bytes = static_cast<uint32_t>(source.rows) * row_bytes;
  const uint32_t bytes = static_cast<uint32_t>(source.panels) * panel_bytes;
  if (to % (128 * kSwizzledRows) != 0) Fail("a misaligned tile", to);
  SharedAt(to + bytes - kChunkBytes, kChunkBytes);  // it is all in shared memory
  std::memset(SharedAt(to, kChunkBytes), kUnset, bytes);
  StartCopyOf(bytes, barrier, [=] {
    const char* from = static_cast<const char*>(source.data) + example * source.example_stride +
                       head * source.head_stride;
    for (int panel = 0; panel < source.panels; ++panel) {
      for (int r = 0; r < source.rows; ++r) {
        for (uint32_t chunk = 0; chunk < row_bytes / kChunkBytes; ++chunk) {
          const uint32_t offset = panel * panel_bytes + r * row_bytes + chunk * kChunkBytes;
          char* chunk_at = SharedAt(Swizzled(to + offset, row_bytes), kChunkBytes);
          if (row + r >= source.length) {
            std::memset(chunk_at, 0, kChunkBytes);
            continue;
          }
          std::memcpy(
              chunk_at,
              from + (row + r) * source.row_stride + panel * row_bytes + chunk * kChunkBytes,
              kChunkBytes);
        }
      }
    }
  });
}
void StartBulkCopy(uint32_t to, const void* from, uint32_t bytes, uint32_t barrier) {
  if (bytes % kChunkBytes != 0 || reinterpret_cast<uintptr_t>(from) % kChunkBytes != 0) {
    Fail("a bulk copy that is not of multiples of 16 bytes", to);
  }
  SharedAt(to + bytes - kChunkBytes, kChunkBytes);
  std::memset(SharedAt(to, kChunkBytes), kUnset, bytes);
  StartCopyOf(bytes, barrier, [=] { std::memcpy(SharedAt(to, kChunkBytes), from, bytes); });
}

void NoteWrite(uint32_t address) {
  State& own = Own();
  const uint32_t word = address / kWordBytes;
  own.unpublished[ThreadIndex().x].push_back(word);
  if (own.is_unpublished.size() <= word) own.is_unpublished.resize(word + 1);
  own.is_unpublished[word] = true;
}
void PublishWrites() {
  State& own = Own();
  for (const uint32_t word : own.unpublished[ThreadIndex().x]) own.is_unpublished[word] = false;
  own.unpublished[ThreadIndex().x].clear();
}

void BeginProducts() { Own().products[ThreadIndex().x].begun = true; }
void StartProduct(const ProductOperands& product) {
  Products& own = Own().products[ThreadIndex().x];
  if (!own.begun) Fail("a product without BeginProducts, in thread", ThreadIndex().x);
  const auto [sum, is_new] = own.sums.try_emplace(product.sum);
  if (is_new) sum->second.assign(product.sum, product.sum + product.values);
  std::fill_n(product.sum, product.values, std::numeric_limits<float>::quiet_NaN());
  own.under_way.push_back({product, own.group});
}
void CommitProducts() { ++Own().products[ThreadIndex().x].group; }
void WaitForProducts(int pending) {
  Products& own = Own().products[ThreadIndex().x];
  own.begun = false;
  MaybeYield();
  std::vector<Product> later;
  for (const Product& product : own.under_way) {
    if (product.group < own.group - pending) {
      Multiply(product.operands, own.sums[product.operands.sum]);
    } else {
      later.push_back(product);
    }
  }
  own.under_way = std::move(later);
  for (auto sum = own.sums.begin(); sum != own.sums.end();) {
    const bool is_under_way =
        std::any_of(own.under_way.begin(), own.under_way.end(),
                    [&](const Product& p) { return p.operands.sum == sum->first; });
    if (is_under_way) {
      ++sum;
    } else {
      std::copy(sum->second.begin(), sum->second.end(), sum->first);
      sum = own.sums.erase(sum);
    }
  }
  WarpBarrier();  // nobody goes on while others multiply
}

}  // namespace spion::emulation
