// Which preset a run takes.
//
//   ASSIGN_OR_RETURN(const Preset preset, ChoosePreset(options, device.is_cuda()));
#ifndef EXPERIMENTS_CHOOSE_PRESET_H_
#define EXPERIMENTS_CHOOSE_PRESET_H_

#include "absl/status/statusor.h"
#include "experiments/options.h"
#include "spion/train/hyper_parameters.h"

namespace spion {

/// The one that is asked for. `auto` is `paper` with a GPU and the task's real data: files, or what
/// its generator makes where that is the data set. Else it is `quick`.
/// Errors: NotFound for an unknown task, where that matters.
absl::StatusOr<Preset> ChoosePreset(const Options& options, bool has_gpu);

}  // namespace spion

#endif  // EXPERIMENTS_CHOOSE_PRESET_H_
