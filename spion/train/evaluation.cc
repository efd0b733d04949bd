#include "spion/train/evaluation.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "spion/train/batches.h"

namespace spion {

Evaluation Evaluate(const SequenceClassifier& model, const Split& split, const TaskShape& shape,
                    int64_t batch_size, int64_t limit) {
  c10::NoGradGuard no_grad;
  const int64_t examples = limit > 0 ? std::min(limit, split.examples()) : split.examples();
  int64_t right = 0;
  double loss = 0;
  std::vector<int64_t> indices;
  for (int64_t start = 0; start < examples; start += batch_size) {
    indices.resize(std::min(batch_size, examples - start));
    std::iota(indices.begin(), indices.end(), start);
    const Batch batch = MakeBatch(split, shape, indices, model.parameters().device());
    const at::Tensor logits = model.Forward(batch.ids, batch.lengths, /*training=*/false);
    right += logits.argmax(1).eq(batch.labels).sum().item<int64_t>();
    loss += at::cross_entropy_loss(logits, batch.labels).item<double>() *
            static_cast<double>(indices.size());
  }
  if (examples == 0) return {};
  return {.accuracy = static_cast<double>(right) / static_cast<double>(examples),
          .loss = loss / static_cast<double>(examples),
          .examples = examples};
}

}  // namespace spion
