// Reads token ids of either width.
#ifndef SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_IDS_CUH_
#define SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_IDS_CUH_

#include <cassert>
#include <cstdint>

#include "spion/kernels/token_rows/api.h"

namespace spion::cuda {

__device__ __forceinline__ int64_t TokenAt(const TokenIds& ids, int64_t row,
                                           [[maybe_unused]] int64_t vocabulary) {
  const int64_t token = ids.wide == nullptr ? ids.narrow[row] : ids.wide[row];
  assert(token >= 0 && token < vocabulary && "a token id outside the vocabulary");
  return token;
}

}  // namespace spion::cuda

#endif  // SPION_KERNELS_TOKEN_ROWS_CUDA_TOKEN_IDS_CUH_
