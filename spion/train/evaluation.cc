#include "spion/train/evaluation.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "spion/base/random.h"
#include "spion/ops/classifier.h"
#include "spion/platform/random_state.h"
#include "spion/profiling/range.h"
#include "spion/train/model_patterns.h"
#include "spion/train/random_streams.h"

namespace spion {
namespace {

/// The layers whose pruned entries take a share of the softmax.
std::vector<SpionAttention*> SharingLayers(const SequenceClassifier& model) {
  std::vector<SpionAttention*> layers = SpionLayers(model);
  std::erase_if(layers, [](const SpionAttention* layer) { return !layer->HasPrunedShare(); });
  return layers;
}

}  // namespace

int64_t EvaluatedExamples(int64_t examples, int64_t limit) {
  return limit > 0 ? std::min(limit, examples) : examples;
}

Evaluation Evaluate(const SequenceClassifier& model, const BatchMaker& batches, int64_t batch_size,
                    int64_t limit, Precision precision) {
  return *EvaluateUnlessStopped(model, batches, batch_size, limit, precision,
                                [](int64_t) { return false; });
}

std::optional<Evaluation> EvaluateUnlessStopped(const SequenceClassifier& model,
                                                const BatchMaker& batches, int64_t batch_size,
                                                int64_t limit, Precision precision,
                                                const std::function<bool(int64_t)>& stops_after,
                                                Group& group) {
  const ProfileRange range(Region::kEvaluation);
  const c10::NoGradGuard no_grad;
  const c10::Device device = model.parameters().device();
  const int64_t examples = EvaluatedExamples(batches.examples(), limit);
  // Summed on the device, so that no batch waits for the one before.
  at::Tensor right = at::zeros({}, at::TensorOptions(at::kDouble).device(device));
  at::Tensor loss = at::zeros({}, at::TensorOptions(at::kDouble).device(device));
  const RandomStateScope random(device);
  std::vector<int64_t> indices;
  std::vector<at::Tensor> shares;
  for (int64_t round = 0; round < examples; round += batch_size * group.ranks()) {
    if (stops_after(round)) return std::nullopt;
    const int64_t start = round + batch_size * group.rank();
    if (start >= examples) continue;
    indices.resize(std::min(batch_size, examples - start));
    std::iota(indices.begin(), indices.end(), start);
    const Batch batch = batches.Make(indices);
    // Random numbers of the evaluation's own, for each batch its own.
    at::manual_seed(DeriveSeed(kEvaluationStream, static_cast<uint64_t>(start)));
    const AutocastScope autocast(precision, device);
    // One batch is enough to tell, and leaves the others as fast as they are.
    const std::vector<SpionAttention*> told =
        start == 0 ? SharingLayers(model) : std::vector<SpionAttention*>();
    for (SpionAttention* layer : told) layer->RequestPrunedShare();
    const at::Tensor logits = model.Forward(batch.ids, batch.lengths, /*training=*/false);
    for (SpionAttention* layer : told) shares.push_back(layer->TakePrunedShare());
    const Judgement judgement = JudgeLogits(logits, batch.labels);
    right += judgement.right;
    loss.add_(judgement.loss, static_cast<double>(indices.size()));
  }
  if (examples == 0) return Evaluation();
  const at::Tensor sums = at::stack({right, loss}).cpu();
  group.Sum(sums);
  const auto count = static_cast<double>(examples);
  Evaluation evaluation{.accuracy = sums[0].item<double>() / count,
                        .loss = sums[1].item<double>() / count,
                        .examples = examples};
  for (const at::Tensor& share : shares) {
    evaluation.pruned_share.push_back(share.item<double>());
  }
  return evaluation;
}

}  // namespace spion
