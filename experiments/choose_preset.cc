#include "experiments/choose_preset.h"

#include "spion/base/status.h"
#include "spion/data/task_registry.h"

namespace spion {

absl::StatusOr<Preset> ChoosePreset(const Options& options, bool has_gpu) {
  if (options.preset == PresetChoice::kQuick) return Preset::kQuick;
  if (options.preset == PresetChoice::kPaper) return Preset::kPaper;
  if (!has_gpu) return Preset::kQuick;
  if (!options.data_dir.empty()) return Preset::kPaper;
  // The smallest data set says what a whole one would be.
  ASSIGN_OR_RETURN(const TaskData sample,
                   LoadTask(options.task, {.generated_sizes = {.train = 1, .dev = 1, .test = 1}}));
  return sample.source.generated ? Preset::kQuick : Preset::kPaper;
}

}  // namespace spion
