#include "spion/train/model_patterns.h"

#include "absl/strings/str_cat.h"
#include "spion/kernels/block_sparse/block_size.h"

namespace spion {

std::vector<SpionAttention*> SpionLayers(const SequenceClassifier& model) {
  std::vector<SpionAttention*> layers;
  for (Attention* attention : model.attentions()) {
    if (auto* spion = dynamic_cast<SpionAttention*>(attention)) layers.push_back(spion);
  }
  return layers;
}

std::vector<BlockPattern> CurrentPatterns(const SequenceClassifier& model) {
  std::vector<BlockPattern> patterns;
  for (const Attention* layer : model.attentions()) {
    if (layer->pattern() != nullptr) patterns.push_back(*layer->pattern());
  }
  return patterns;
}

absl::Status SetPatterns(const std::vector<BlockPattern>& patterns, SequenceClassifier& model) {
  const std::vector<SpionAttention*> layers = SpionLayers(model);
  if (layers.size() != patterns.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", patterns.size(), " patterns for ", layers.size(), " layers"));
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    if (patterns[l].length() != model.config().length ||
        !TakesBlockSize(patterns[l].block_size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the pattern of layer ", l, " is one of ", patterns[l].blocks_per_side(),
                       " blocks of ", patterns[l].block_size(), " a side, expected blocks of ",
                       kBlockSizes, " for a length of ", model.config().length));
    }
    layers[l]->SetPattern(patterns[l]);
  }
  return absl::OkStatus();
}

}  // namespace spion
