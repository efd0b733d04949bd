#include "benchmarks/attention_cost.h"

namespace spion {
namespace {

double Rows(const AttentionSize& size) {
  return static_cast<double>(size.batch * size.heads) * static_cast<double>(size.length);
}

double Products(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return 2;
    case Pass::kBackward:
      return 5;
    case Pass::kBoth:
      return 7;
  }
  return 0;
}

double TensorsMoved(Pass pass) {
  switch (pass) {
    case Pass::kForward:
      return 3 + 1;
    case Pass::kBackward:
      return 5 + 3;
    case Pass::kBoth:
      return 4 + 8;
  }
  return 0;
}

}  // namespace

double UsefulFlops(const AttentionSize& size, Pass pass) {
  const double pairs = static_cast<double>(size.kept_blocks * size.block_size * size.block_size);
  return Products(pass) * 2 * pairs * static_cast<double>(size.head_dim) *
         static_cast<double>(size.batch * size.heads);
}

double FewestBytes(const AttentionSize& size, int64_t bytes_per_element, Pass pass) {
  const double floats_a_row = pass == Pass::kBoth ? 2 : 1;
  const double row = static_cast<double>(size.head_dim * bytes_per_element);
  return Rows(size) * (TensorsMoved(pass) * row + floats_a_row * sizeof(float));
}

double MaterialisedBytes(const AttentionSize& size, int64_t bytes_per_element) {
  constexpr double kMatrices = 4;
  return kMatrices * Rows(size) * static_cast<double>(size.length * bytes_per_element);
}

}  // namespace spion
