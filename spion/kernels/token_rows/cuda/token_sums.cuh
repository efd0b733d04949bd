// The gradient of a token table: the sum of the rows of each token. A thread block takes 1024 rows
// and 64 columns. It sorts its rows by token, so that those of a token follow each other, and each
// warp adds up 32 of them in registers; sum_parts.cuh then adds up the thread blocks.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_SUMS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_SUMS_CUH_

#include <cstdint>

#include "spion/kernels/cuda_tiles/instructions.cuh"
#include "spion/kernels/token_rows/api.h"
#include "spion/kernels/token_rows/cuda/sum_blocks.h"
#include "spion/kernels/token_rows/cuda/token_ids.cuh"

namespace spion::cuda {

constexpr uint32_t kSortThreads = kTokensPerBlock;
constexpr uint32_t kSortWarps = kSortThreads / 32;
constexpr uint32_t kTokenColumns = kSumWidthUnit;  // two a lane
static_assert(kTokenColumns == 2 * 32);

/// Ascending order of one key a thread: the bitonic network. `buffer`: two keys a thread.
__device__ __forceinline__ uint32_t SortKeys(uint32_t key, uint32_t (&buffer)[2][kSortThreads]) {
  const uint32_t thread = threadIdx.x;
  uint32_t side = 0;
  for (uint32_t size = 2; size <= kSortThreads; size *= 2) {
    const bool ascends = (thread & size) == 0;
    for (uint32_t distance = size / 2; distance > 0; distance /= 2) {
      uint32_t other;
      if (distance < 32) {
        other = __shfl_xor_sync(tiles::kAllLanes, key, static_cast<int>(distance));
      } else {
        buffer[side][thread] = key;
        // All keys are there before they are read. That all have read them before they are
        // overwritten, the barrier of the other side sees to.
        __syncthreads();
        other = buffer[side][thread ^ distance];
        side ^= 1;
      }
      const bool takes_lower = ((thread & distance) == 0) == ascends;
      key = takes_lower ? min(key, other) : max(key, other);
    }
  }
  return key;
}

/// What a warp hands back to those before it, if its rows begin with their last token.
struct TokenCarry {
  float2 sums[kSortWarps][32];
  uint32_t last_token[kSortWarps];
  bool goes_on[kSortWarps];    // begins with the token that the warp before ends with
  bool is_single[kSortWarps];  // has one token
};

/// Grid: TokenSumBlocks(rows) x width / 64 thread blocks of kSortThreads, which share out the rows,
/// [rows, width]; blockIdx.y: which 64 columns. Leaves [gridDim.x, vocabulary, width] in scratch.
static __global__ void __launch_bounds__(kSortThreads)
    TokenSumsKernel(const __grid_constant__ TokenSums call) {
  __shared__ uint32_t buffer[2][kSortThreads];
  __shared__ TokenCarry carry;
  constexpr uint32_t kRowBits = 10;
  static_assert(kSortThreads == 1U << kRowBits);
  const uint32_t lane = threadIdx.x % 32;
  const uint32_t warp = threadIdx.x / 32;
  const auto vocabulary = static_cast<uint32_t>(call.vocabulary);
  const int64_t first_row = int64_t{blockIdx.x} * kSortThreads;
  const int64_t row = first_row + threadIdx.x;
  // Rows beyond the last count as of a token beyond the vocabulary.
  const uint32_t own_token =
      row < call.rows ? static_cast<uint32_t>(TokenAt(call.ids, row, vocabulary)) : vocabulary;
  const uint32_t key = SortKeys(own_token << kRowBits | threadIdx.x, buffer);
  if (lane == 31) carry.last_token[warp] = key >> kRowBits;
  __syncthreads();  // the last tokens are there before the next warps read them

  const int64_t column = blockIdx.y * kTokenColumns + 2 * lane;
  const float* x = call.x + first_row * call.width + column;
  float* part = call.scratch + int64_t{blockIdx.x} * vocabulary * call.width + column;
  const auto store = [&](uint32_t token, const float2& sums) {
    if (token < vocabulary) {
      *reinterpret_cast<float2*>(part + int64_t{token} * call.width) = sums;
    }
  };
  const auto clear = [&](uint32_t first, uint32_t end) {
    for (uint32_t token = first; token < end; ++token) store(token, {0, 0});
  };

  // The sum of a token is stored by the warp where its rows begin, which adds what the warps after
  // it hand back. Tokens without rows are cleared by the warp where the next token begins.
  uint32_t token = __shfl_sync(tiles::kAllLanes, key, 0) >> kRowBits;
  const bool goes_on = warp > 0 && token == carry.last_token[warp - 1];
  if (!goes_on) clear(warp > 0 ? carry.last_token[warp - 1] + 1 : 0, token);
  bool is_first = true;
  float2 sums = {0, 0};
  constexpr int kRowsInFlight = 8;
#pragma unroll 1
  for (int begin = 0; begin < 32; begin += kRowsInFlight) {
    uint32_t keys[kRowsInFlight];
    float2 rows[kRowsInFlight];
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      keys[i] = __shfl_sync(tiles::kAllLanes, key, begin + i);
      rows[i] = {0, 0};
      if (keys[i] >> kRowBits == vocabulary) continue;
      const int64_t in_block = keys[i] % kSortThreads;
      rows[i] = *reinterpret_cast<const float2*>(x + in_block * call.width);
    }
#pragma unroll
    for (int i = 0; i < kRowsInFlight; ++i) {
      const uint32_t next = keys[i] >> kRowBits;
      if (next != token) {
        if (is_first && goes_on) {
          carry.sums[warp][lane] = sums;
        } else {
          store(token, sums);
        }
        clear(token + 1, next);
        token = next;
        sums = {0, 0};
        is_first = false;
      }
      sums.x += rows[i].x;
      sums.y += rows[i].y;
    }
  }
  if (is_first && goes_on) carry.sums[warp][lane] = sums;
  if (lane == 0) {
    carry.goes_on[warp] = goes_on;
    carry.is_single[warp] = is_first;
  }
  __syncthreads();  // what the warps hand back is there before those before them read it
  if (!(is_first && goes_on)) {
    for (uint32_t next = warp + 1; next < kSortWarps && carry.goes_on[next]; ++next) {
      sums.x += carry.sums[next][lane].x;
      sums.y += carry.sums[next][lane].y;
      if (!carry.is_single[next]) break;
    }
    store(token, sums);
  }
  if (warp == kSortWarps - 1) clear(token + 1, vocabulary);
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_SUMS_CUH_
