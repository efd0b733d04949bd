#include "spion/reference/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "spion/pattern/block_pattern.h"

namespace spion::reference {
namespace {

/// One head of one example: where its rows lie, and which pairs count.
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
  bool kept(int64_t query, int64_t key) const {
    const BlockPattern& pattern = input.patterns[input.patterns.size() == 1 ? 0 : head];
    const int64_t b = pattern.block_size();
    return pattern.contains(static_cast<int>(query / b), static_cast<int>(key / b));
  }
  double score(int64_t query, int64_t key) const {
    double dot = 0;
    for (int64_t i = 0; i < input.head_dim; ++i) {
      dot += input.q[at(query) + i] * input.k[at(key) + i];
    }
    return input.scale * dot;
  }
};

struct Row {
  std::vector<double> p;  // [L]
  double log_sum_exp;
};

/// Probabilities of one query. `pruned_zeros` scores of 0 are in the normaliser beside `scores`, in
/// which minus infinity means "not there".
Row Softmax(const std::vector<double>& scores, int64_t pruned_zeros) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double maximum = pruned_zeros > 0 ? 0 : -kInfinity;
  for (const double s : scores) maximum = std::max(maximum, s);
  Row row = {.p = std::vector<double>(scores.size(), 0.0), .log_sum_exp = kInfinity};
  if (maximum == -kInfinity) return row;
  double z = pruned_zeros > 0 ? static_cast<double>(pruned_zeros) * std::exp(-maximum) : 0;
  for (const double s : scores) z += std::exp(s - maximum);
  for (size_t key = 0; key < scores.size(); ++key) row.p[key] = std::exp(scores[key] - maximum) / z;
  row.log_sum_exp = maximum + std::log(z);
  return row;
}

Row SparseRow(const Head& head, int64_t query) {
  const Input& input = head.input;
  std::vector<double> scores(input.length, -std::numeric_limits<double>::infinity());
  int64_t pruned = 0;
  for (int64_t key = 0; key < input.length; ++key) {
    if (!head.kept(query, key)) {
      ++pruned;
    } else if (!head.padded(key)) {
      scores[key] = head.score(query, key);
    }
  }
  return Softmax(scores, input.pruned == PrunedScore::kZero ? pruned : 0);
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
      for (int64_t key = 0; key < input.length; ++key) {
        if (row.p[key] == 0) continue;
        for (int64_t i = 0; i < input.head_dim; ++i) {
          output.out[head.at(query) + i] += row.p[key] * input.v[head.at(key) + i];
        }
      }
    }
  });
  return output;
}

Gradients Backward(const Input& input, const std::vector<double>& grad_out) {
  const std::vector<double> zeros(input.v.size(), 0.0);
  Gradients gradients = {.q = zeros, .k = zeros, .v = zeros};
  std::vector<double> grad_p(input.length);
  ForHeads(input, [&](const Head& head) {
    for (int64_t query = 0; query < input.length; ++query) {
      const Row row = SparseRow(head, query);
      double mean = 0;  // of grad_p under p
      for (int64_t key = 0; key < input.length; ++key) {
        if (row.p[key] == 0) continue;
        grad_p[key] = 0;
        for (int64_t i = 0; i < input.head_dim; ++i) {
          grad_p[key] += grad_out[head.at(query) + i] * input.v[head.at(key) + i];
        }
        mean += row.p[key] * grad_p[key];
      }
      for (int64_t key = 0; key < input.length; ++key) {
        if (row.p[key] == 0) continue;
        const double grad_dot = row.p[key] * (grad_p[key] - mean) * input.scale;
        for (int64_t i = 0; i < input.head_dim; ++i) {
          gradients.v[head.at(key) + i] += row.p[key] * grad_out[head.at(query) + i];
          gradients.q[head.at(query) + i] += grad_dot * input.k[head.at(key) + i];
          gradients.k[head.at(key) + i] += grad_dot * input.q[head.at(query) + i];
        }
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
      std::vector<double> scores(input.length, -std::numeric_limits<double>::infinity());
      for (int64_t key = 0; key < input.length; ++key) {
        if (!head.padded(key)) scores[key] = head.score(query, key);
      }
      const Row row = Softmax(scores, 0);
      for (int64_t key = 0; key < input.length; ++key) {
        map[query * input.length + key] += weight * row.p[key];
      }
    }
  });
  return map;
}

}  // namespace spion::reference
