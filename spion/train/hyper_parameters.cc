#include "spion/train/hyper_parameters.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace spion {
namespace {

struct PaperRow {
  absl::string_view task;
  int64_t layers, batch_size;
  double learning_rate;
  int64_t warmup_steps, steps, capture_interval, block_size;
  double density, threshold;
};

constexpr PaperRow kPaper[] = {
    {"image", 2, 128, 1e-4, 175, 10'000, 500, 32, 0.04, 0.96},
    {"listops", 4, 256, 7e-4, 1000, 30'000, 500, 64, 0.04, 0.98},
    {"retrieval", 2, 32, 3e-4, 800, 40'000, 200, 64, 0.021, 0.99},
    {"text", 2, 32, 1e-4, 80, 30'000, 200, 64, 0.03, 0.99},
    {"pathfinder", 2, 256, 3e-4, 312, 50'000, 500, 32, 0.05, 0.96},
};

// What `quick` changes, for three minutes on two CPU cores whatever the method: small batches, long
// sequences cut; a higher learning rate, as there are few steps; captures close together and a
// limit to the dense phase, so that the sparse phase is always reached.
void MakeQuick(HyperParameters& h) {
  h.batch_size = 8;
  constexpr int64_t kBlockOfLongTasks = 64;
  if (h.block_size == kBlockOfLongTasks) {
    h.sequence_length = 512;
    h.block_size = 16;  // of larger ones, the diagonal alone is denser than the pattern
    h.batch_size = 16;
  }
  h.learning_rate = 2e-3;
  h.warmup_steps = 20;
  h.steps = 350;
  h.capture_interval = 20;
  h.dense_step_limit = 80;
  h.evaluation_interval = 50;
  h.dev_examples = 256;
  h.test_examples = 2000;
}

}  // namespace

absl::string_view PresetName(Preset preset) { return preset == Preset::kQuick ? "quick" : "paper"; }

absl::StatusOr<HyperParameters> HyperParametersFor(absl::string_view task, Preset preset) {
  const auto* row = std::find_if(std::begin(kPaper), std::end(kPaper),
                                 [&](const PaperRow& candidate) { return candidate.task == task; });
  if (row == std::end(kPaper)) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no task \"", task, "\"; the tasks are ",
                     absl::StrJoin(kPaper, ", ", [](std::string* out, const PaperRow& paper_row) {
                       absl::StrAppend(out, paper_row.task);
                     })));
  }
  HyperParameters h;
  h.layers = row->layers;
  h.batch_size = row->batch_size;
  h.learning_rate = row->learning_rate;
  h.warmup_steps = row->warmup_steps;
  h.steps = row->steps;
  h.capture_interval = row->capture_interval;
  h.evaluation_interval = row->capture_interval;
  h.block_size = row->block_size;
  h.density = row->density;
  h.threshold = row->threshold;
  if (preset == Preset::kQuick) MakeQuick(h);
  return h;
}

}  // namespace spion
