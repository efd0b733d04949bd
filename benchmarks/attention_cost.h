// What one pass of attention cannot do without: arithmetic and memory traffic. The yardsticks that
// times are held against.
#ifndef BENCHMARKS_ATTENTION_COST_H_
#define BENCHMARKS_ATTENTION_COST_H_

#include <cstdint>

#include "benchmarks/attention_pass.h"

namespace spion {

struct AttentionSize {
  int64_t batch, heads, length, head_dim;
  int64_t block_size, kept_blocks;
};

/// Floating-point operations in the kept blocks, a product's multiplication and addition counted
/// apart: 2 products of L x d matrices forward (scores, output), 5 backward (scores again, dP, dV,
/// dQ, dK).
double UsefulFlops(const AttentionSize& size, Pass pass);

/// The fewest bytes that must cross the memory's interface: each input read once, each output
/// written once, and one float a row between the passes (the softmax's normaliser).
///   fwd: reads q, k, v; writes out and the float
///   bwd: reads q, k, v, out, grad_out and the float; writes grad_q, grad_k, grad_v
///   fwdbwd: both
double FewestBytes(const AttentionSize& size, int64_t bytes_per_element, Pass pass);

/// What materialised probabilities take at their peak, about: four L x L matrices a head (the
/// probabilities, and in the backward pass their gradient and those of the scores, beside a
/// temporary).
double MaterialisedBytes(const AttentionSize& size, int64_t bytes_per_element);

}  // namespace spion

#endif  // BENCHMARKS_ATTENTION_COST_H_
