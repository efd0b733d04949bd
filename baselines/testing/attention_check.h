// What the tests of the baselines share: random heads, differences, and gradients by finite
// differences.
#ifndef BASELINES_TESTING_ATTENTION_CHECK_H_
#define BASELINES_TESTING_ATTENTION_CHECK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace spion {

struct Heads {
  at::Tensor q, k, v;  // [B, H, L, d]
};

/// Normal numbers in double, as views into one fused projection: the layout that the encoder gives.
Heads RandomHeads(int64_t batch, int64_t heads, int64_t length, int64_t head_dim, uint64_t seed);

/// int32 [B].
at::Tensor MakeLengths(const std::vector<int32_t>& lengths);

/// The largest absolute difference; NaN if there is one.
double MaxDifference(const at::Tensor& a, const at::Tensor& b);

using HeadFunction =
    std::function<at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)>;

/// The largest relative difference between the derivative that backward gives and the central
/// difference, of a random weighting of the outputs, along random directions of q, k, v and
/// `parameters` (double leaves that the function uses) one by one. The function must be smooth near
/// the heads, and give the same for the same arguments.
double GradientError(const HeadFunction& function, const Heads& heads,
                     const std::vector<at::Tensor>& parameters = {});

/// The same attention on bf16 heads under bf16 autocast, on the CPU, as float32.
at::Tensor UnderAutocast(const HeadFunction& function, const Heads& heads);

}  // namespace spion

#endif  // BASELINES_TESTING_ATTENTION_CHECK_H_
