// Seeded inputs of an attention problem.
//
//   AttentionCase c = MakeAttentionCase({.batch = 2, .heads = 3, .length = 96, .head_dim = 32},
//                                       CasePadding::kLengths, /*deviation=*/1.0, TestSeed(7));
#ifndef SPION_TESTING_ATTENTION_CASE_H_
#define SPION_TESTING_ATTENTION_CASE_H_

#include <cstdint>
#include <vector>

#include "spion/kernels/common/key_padding.h"

namespace spion {

struct AttentionShape {
  int64_t batch;
  int64_t heads;
  int64_t length;
  int64_t head_dim;

  int64_t elements() const { return batch * heads * length * head_dim; }
};

enum class CasePadding {
  kNone,
  kLengths,  // first example: 1 key; second: all; then random lengths from 0 on
  kMask,     // each key with probability 1/2; second example: all; third: none
};

/// "Unpadded", "Lengths", "Mask".
const char* Name(CasePadding padding);

struct AttentionCase {
  AttentionShape shape;
  double scale;  // 1 / sqrt(head_dim)
  // [B, H, L, d] without gaps.
  std::vector<float> q, k, v, grad_out;
  std::vector<int32_t> lengths;  // [B] or empty
  std::vector<uint8_t> valid;    // [B, L] or empty

  KeyPadding padding() const;
  /// A bound on |scale * q . k| over all pairs of a head: what tolerances depend on.
  double MaxScore() const;
};

/// q and k have the given standard deviation, v and grad_out deviation 1.
AttentionCase MakeAttentionCase(const AttentionShape& shape, CasePadding padding, double deviation,
                                uint64_t seed);

}  // namespace spion

#endif  // SPION_TESTING_ATTENTION_CASE_H_
