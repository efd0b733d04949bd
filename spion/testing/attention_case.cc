#include "spion/testing/attention_case.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "spion/base/random.h"
#include "spion/testing/seed.h"

namespace spion {
namespace {

std::vector<int32_t> Lengths(const AttentionShape& shape, Random& random) {
  std::vector<int32_t> lengths(shape.batch);
  for (int64_t batch = 0; batch < shape.batch; ++batch) {
    const int64_t drawn = random.Between(0, shape.length);
    lengths[batch] = static_cast<int32_t>(batch == 0 ? 1 : batch == 1 ? shape.length : drawn);
  }
  return lengths;
}

std::vector<uint8_t> Mask(const AttentionShape& shape, Random& random) {
  std::vector<uint8_t> valid(shape.batch * shape.length);
  for (int64_t i = 0; i < shape.batch * shape.length; ++i) {
    const int64_t batch = i / shape.length;
    const bool drawn = random.Below(2) == 1;
    valid[i] = batch == 1 || (drawn && batch != 2) ? 1 : 0;
  }
  return valid;
}

}  // namespace

const char* Name(CasePadding padding) {
  switch (padding) {
    case CasePadding::kNone:
      return "Unpadded";
    case CasePadding::kLengths:
      return "Lengths";
    case CasePadding::kMask:
      return "Mask";
  }
  return "Unknown";
}

KeyPadding AttentionCase::padding() const {
  return {.lengths = lengths.empty() ? nullptr : lengths.data(),
          .valid = valid.empty() ? nullptr : valid.data()};
}

double AttentionCase::MaxScore() const {
  // Cauchy and Schwarz, from the longest q and k of each head: linear in the input.
  const int64_t head_floats = shape.length * shape.head_dim;
  double largest = 0;
  for (int64_t head = 0; head < shape.batch * shape.heads; ++head) {
    double longest_q = 0;
    double longest_k = 0;
    for (int64_t row = 0; row < shape.length; ++row) {
      double q2 = 0;
      double k2 = 0;
      for (int64_t i = 0; i < shape.head_dim; ++i) {
        const int64_t at = head * head_floats + row * shape.head_dim + i;
        q2 += static_cast<double>(q[at]) * q[at];
        k2 += static_cast<double>(k[at]) * k[at];
      }
      longest_q = std::max(longest_q, q2);
      longest_k = std::max(longest_k, k2);
    }
    largest = std::max(largest, scale * std::sqrt(longest_q * longest_k));
  }
  return largest;
}

AttentionCase MakeAttentionCase(const AttentionShape& shape, CasePadding padding, double deviation,
                                uint64_t seed) {
  Random random(seed);
  AttentionCase c = {.shape = shape,
                     .scale = 1 / std::sqrt(static_cast<double>(shape.head_dim)),
                     .q = NormalVector(shape.elements(), deviation, random),
                     .k = NormalVector(shape.elements(), deviation, random),
                     .v = NormalVector(shape.elements(), 1, random),
                     .grad_out = NormalVector(shape.elements(), 1, random),
                     .lengths = {},
                     .valid = {}};
  if (padding == CasePadding::kLengths) c.lengths = Lengths(shape, random);
  if (padding == CasePadding::kMask) c.valid = Mask(shape, random);
  return c;
}

}  // namespace spion
