#include "spion/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "spion/pattern/block_pattern.h"

namespace spion::reference {
namespace {

double Dot(const double* x, const double* y, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * y[i];
  return sum;
}

/// to += factor * from
void AddScaled(double* __restrict to, double factor, const double* __restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] += factor * from[i];
}

/// One head of one example: where its rows lie, and which keys count.
struct Head {
  const Input& input;
  int64_t batch;
  int64_t head;

  int64_t index() const { return batch * input.heads + head; }
  /// Offset of a row of q, k, v or out.
  int64_t at(int64_t row) const { return (index() * input.length + row) * input.head_dim; }

  bool padded(int64_t key) const {
    if (!input.lengths.empty() && key >= input.lengths[batch]) return true;
    return !input.valid.empty() && input.valid[batch * input.length + key] == 0;
  }
  const BlockPattern& pattern() const {
    return input.patterns[input.patterns.size() == 1 ? 0 : head];
  }
  double score(int64_t query, int64_t key) const {
    return input.scale * Dot(&input.q[at(query)], &input.k[at(key)], input.head_dim);
  }
};

/// Probabilities of one query over the keys that it attends to.
struct Row {
  std::vector<int64_t> keys;
  std::vector<double> p;  // of each of `keys`
  double log_sum_exp;
};

/// The row of a query over `keys`. `pruned_zeros` scores of 0 are in the normaliser beside theirs.
Row Softmax(const Head& head, int64_t query, std::vector<int64_t> keys, int64_t pruned_zeros) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Row row = {.keys = std::move(keys), .p = {}, .log_sum_exp = kInfinity};
  double maximum = pruned_zeros > 0 ? 0 : -kInfinity;
  for (const int64_t key : row.keys) {
    row.p.push_back(head.score(query, key));
    maximum = std::max(maximum, row.p.back());
  }
  if (maximum == -kInfinity) return row;
  double z = pruned_zeros > 0 ? static_cast<double>(pruned_zeros) * std::exp(-maximum) : 0;
  for (double& p : row.p) {
    p = std::exp(p - maximum);
    z += p;
  }
  for (double& p : row.p) p /= z;
  row.log_sum_exp = maximum + std::log(z);
  return row;
}

Row SparseRow(const Head& head, int64_t query) {
  const Input& input = head.input;
  const BlockPattern& pattern = head.pattern();
  const int64_t b = pattern.block_size();
  std::vector<int64_t> keys;
  int64_t pruned = input.length;
  for (const int32_t column : pattern.columns_of_row(static_cast<int>(query / b))) {
    for (int64_t key = column * b; key < (column + 1) * b; ++key) {
      --pruned;
      if (!head.padded(key)) keys.push_back(key);
    }
  }
  return Softmax(head, query, std::move(keys), input.pruned == PrunedScore::kZero ? pruned : 0);
}

template <class Body>
void ForHeads(const Input& input, const Body& body) {
  for (int64_t batch = 0; batch < input.batch; ++batch) {
    for (int64_t head = 0; head < input.heads; ++head) body(Head{input, batch, head});
  }
}

}  // namespace

Output Forward(const Input& input) {
  Output output = {.out = std::vector<double>(input.v.size(), 0.0), .log_sum_exp = {}};
  ForHeads(input, [&](const Head& head) {
    for (int64_t query = 0; query < input.length; ++query) {
      const Row row = SparseRow(head, query);
      output.log_sum_exp.push_back(row.log_sum_exp);
      for (size_t j = 0; j < row.keys.size(); ++j) {
        AddScaled(&output.out[head.at(query)], row.p[j], &input.v[head.at(row.keys[j])],
                  input.head_dim);
      }
    }
  });
  return output;
}

Gradients Backward(const Input& input, const std::vector<double>& grad_out) {
  const std::vector<double> zeros(input.v.size(), 0.0);
  Gradients gradients = {.q = zeros, .k = zeros, .v = zeros};
  ForHeads(input, [&](const Head& head) {
    for (int64_t query = 0; query < input.length; ++query) {
      const Row row = SparseRow(head, query);
      const double* grad = &grad_out[head.at(query)];
      std::vector<double> grad_p(row.keys.size(), 0.0);
      double mean = 0;  // of grad_p under p
      for (size_t j = 0; j < row.keys.size(); ++j) {
        grad_p[j] = Dot(grad, &input.v[head.at(row.keys[j])], input.head_dim);
        mean += row.p[j] * grad_p[j];
      }
      for (size_t j = 0; j < row.keys.size(); ++j) {
        const int64_t key = head.at(row.keys[j]);
        const double grad_dot = row.p[j] * (grad_p[j] - mean) * input.scale;
        AddScaled(&gradients.v[key], row.p[j], grad, input.head_dim);
        AddScaled(&gradients.q[head.at(query)], grad_dot, &input.k[key], input.head_dim);
        AddScaled(&gradients.k[key], grad_dot, &input.q[head.at(query)], input.head_dim);
      }
    }
  });
  return gradients;
}

std::vector<double> MeanAttentionMap(const Input& input) {
  std::vector<double> map(input.length * input.length, 0.0);
  const double weight = 1.0 / static_cast<double>(input.batch * input.heads);
  ForHeads(input, [&](const Head& head) {
    for (int64_t query = 0; query < input.length; ++query) {
      std::vector<int64_t> keys;
      for (int64_t key = 0; key < input.length; ++key) {
        if (!head.padded(key)) keys.push_back(key);
      }
      const Row row = Softmax(head, query, std::move(keys), /*pruned_zeros=*/0);
      for (size_t j = 0; j < row.keys.size(); ++j) {
        map[query * input.length + row.keys[j]] += weight * row.p[j];
      }
    }
  });
  return map;
}

}  // namespace spion::reference
