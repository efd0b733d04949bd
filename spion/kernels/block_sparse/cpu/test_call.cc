#include "spion/kernels/block_sparse/cpu/test_call.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "spion/base/parallel.h"
#include "spion/kernels/block_sparse/cpu/cpu_internal.h"
#include "spion/kernels/common/head_tensor.h"
#include "spion/kernels/cpu_simd/instruction_set.h"
#include "spion/pattern/block_pattern.h"
#include "spion/reference/attention.h"
#include "spion/testing/attention_case.h"
#include "spion/testing/pattern_zoo.h"
#include "spion/testing/tolerance.h"

namespace spion::cpu::internal {
namespace {

constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();

/// Memory for `tensors` tensors (3: q, k, v; 1: out) in a layout, all NaN at first.
class TensorMemory {
 public:
  TensorMemory(const AttentionShape& shape, Layout layout, int64_t tensors)
      : shape_(shape), layout_(layout), tensors_(tensors) {
    const int64_t row_floats = layout == Layout::kGaps ? shape.head_dim + 4 : shape.head_dim;
    tensor_floats_ = shape.batch * shape.heads * shape.length * row_floats;
    memory_.assign(tensors * tensor_floats_, kPoison);
  }

  HeadTensor<float> tensor(int64_t index) {
    const AttentionShape& s = shape_;
    if (layout_ == Layout::kFused) {
      const int64_t row = tensors_ * s.heads * s.head_dim;
      return {memory_.data() + index * s.heads * s.head_dim, s.length * row, s.head_dim, row};
    }
    const int64_t row = tensor_floats_ / (s.batch * s.heads * s.length);
    return {memory_.data() + index * tensor_floats_, s.heads * s.length * row, s.length * row, row};
  }

  HeadTensor<const float> const_tensor(int64_t index) {
    const HeadTensor<float> t = tensor(index);
    return {t.data, t.batch_stride, t.head_stride, t.row_stride};
  }

  void Set(int64_t index, const std::vector<float>& values) {
    const float* from = values.data();
    ForRows(index, [&](float* row) {
      std::copy_n(from, shape_.head_dim, row);
      from += shape_.head_dim;
    });
  }

  std::vector<float> Get(int64_t index) {
    std::vector<float> values;
    ForRows(index,
            [&](const float* row) { values.insert(values.end(), row, row + shape_.head_dim); });
    return values;
  }

  /// Whether exactly the elements of the tensors were written.
  bool gaps_untouched() const {
    return std::count_if(memory_.begin(), memory_.end(), [](float x) { return std::isnan(x); }) ==
           static_cast<int64_t>(memory_.size()) - tensors_ * shape_.elements();
  }

 private:
  template <class Body>
  void ForRows(int64_t index, const Body& body) {
    const HeadTensor<float> t = tensor(index);
    for (int64_t batch = 0; batch < shape_.batch; ++batch) {
      for (int64_t head = 0; head < shape_.heads; ++head) {
        for (int64_t row = 0; row < shape_.length; ++row) {
          body(t.head(batch, head) + row * t.row_stride);
        }
      }
    }
  }

  AttentionShape shape_;
  Layout layout_;
  int64_t tensors_;
  int64_t tensor_floats_;
  std::vector<float> memory_;
};

std::vector<double> Widen(const std::vector<float>& x) { return {x.begin(), x.end()}; }

/// `natural`: a tensor of the size that `out` has when its terms don't cancel, or empty.
void ExpectTensorNear(const char* name, const std::vector<float>& out,
                      const std::vector<double>& reference, double tolerance,
                      const std::vector<float>& natural = {}) {
  double squares = 0;
  double largest = 0;
  for (const float x : natural) {
    squares += double{x} * x;
    largest = std::fmax(largest, std::abs(x));
  }
  EXPECT_LE(NormError(out, reference, std::sqrt(squares)), tolerance) << name;
  EXPECT_LE(MaxError(out, reference, largest), AttentionTolerance::kMaxOverNorm * tolerance)
      << name;
}

}  // namespace

BlockSparseProblem KernelProblem(const TestProblem& problem, const PatternArrays& arrays) {
  const AttentionShape& shape = problem.inputs.shape;
  return {.batch = shape.batch,
          .heads = shape.heads,
          .length = shape.length,
          .head_dim = shape.head_dim,
          .block_size = problem.patterns.front().block_size(),
          .scale = static_cast<float>(problem.inputs.scale),
          .pruned = problem.pruned,
          .pattern = arrays.view(),
          .padding = problem.inputs.padding()};
}

CallResult RunKernel(const TestProblem& problem, const ParallelFor& parallel,
                     cpu_simd::InstructionSet set) {
  const AttentionCase& inputs = problem.inputs;
  const AttentionShape& shape = inputs.shape;
  const PatternArrays arrays(problem.patterns);
  TensorMemory qkv(shape, problem.layout, 3);
  TensorMemory out(shape, problem.layout, 1);
  TensorMemory grad_out(shape, problem.layout, 1);
  TensorMemory gradients(shape, problem.layout, 3);
  qkv.Set(0, inputs.q);
  qkv.Set(1, inputs.k);
  qkv.Set(2, inputs.v);
  grad_out.Set(0, inputs.grad_out);
  CallResult result;
  result.log_sum_exp.assign(shape.batch * shape.heads * shape.length, kPoison);

  const BlockSparseForward<float> forward = {.problem = KernelProblem(problem, arrays),
                                             .q = qkv.const_tensor(0),
                                             .k = qkv.const_tensor(1),
                                             .v = qkv.const_tensor(2),
                                             .out = out.tensor(0),
                                             .log_sum_exp = result.log_sum_exp.data()};
  EXPECT_EQ(Forward(forward, parallel, set), absl::OkStatus());
  const BlockSparseBackward<float> backward = {.problem = forward.problem,
                                               .q = forward.q,
                                               .k = forward.k,
                                               .v = forward.v,
                                               .out = out.const_tensor(0),
                                               .grad_out = grad_out.const_tensor(0),
                                               .log_sum_exp = result.log_sum_exp.data(),
                                               .grad_q = gradients.tensor(0),
                                               .grad_k = gradients.tensor(1),
                                               .grad_v = gradients.tensor(2)};
  EXPECT_EQ(Backward(backward, parallel, set), absl::OkStatus());
  result.out = out.Get(0);
  result.grad_q = gradients.Get(0);
  result.grad_k = gradients.Get(1);
  result.grad_v = gradients.Get(2);
  result.gaps_untouched = out.gaps_untouched() && gradients.gaps_untouched();
  return result;
}

OracleResult RunOracle(const TestProblem& problem) {
  const AttentionCase& inputs = problem.inputs;
  const reference::Input input = {.batch = inputs.shape.batch,
                                  .heads = inputs.shape.heads,
                                  .length = inputs.shape.length,
                                  .head_dim = inputs.shape.head_dim,
                                  .scale = inputs.scale,
                                  .pruned = problem.pruned,
                                  .patterns = problem.patterns,
                                  .lengths = inputs.lengths,
                                  .valid = inputs.valid,
                                  .q = Widen(inputs.q),
                                  .k = Widen(inputs.k),
                                  .v = Widen(inputs.v)};
  return {reference::Forward(input), reference::Backward(input, Widen(inputs.grad_out))};
}

void ExpectNear(const CallResult& result, const OracleResult& oracle, const TestProblem& problem) {
  const AttentionShape& shape = problem.inputs.shape;
  const AttentionTolerance tolerance = {.max_score = problem.inputs.MaxScore(),
                                        .terms = std::max(shape.length, shape.head_dim)};
  EXPECT_TRUE(result.gaps_untouched);
  ExpectTensorNear("out", result.out, oracle.output.out, tolerance.forward());
  // dQ is scale * (dO . v) * k summed up, and dO . v is some sqrt(d) = 1 / scale; dK likewise.
  const std::vector<float> none;
  ExpectTensorNear("grad_q", result.grad_q, oracle.gradients.q, tolerance.backward(),
                   problem.saturated ? problem.inputs.k : none);
  ExpectTensorNear("grad_k", result.grad_k, oracle.gradients.k, tolerance.backward(),
                   problem.saturated ? problem.inputs.q : none);
  ExpectTensorNear("grad_v", result.grad_v, oracle.gradients.v, tolerance.backward());
  for (size_t i = 0; i < result.log_sum_exp.size(); ++i) {
    const double expected = oracle.output.log_sum_exp[i];
    if (std::isinf(expected)) {
      EXPECT_EQ(result.log_sum_exp[i], expected) << "row " << i;
    } else {
      // The logarithm turns the relative error of Z into an absolute one; each element is judged.
      const double limit = AttentionTolerance::kMaxOverNorm * tolerance.forward();
      EXPECT_LE(std::abs(result.log_sum_exp[i] - expected), limit) << "row " << i;
    }
  }
}

}  // namespace spion::cpu::internal
