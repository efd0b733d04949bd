// What a command line asks for, ready to be run: data loaded, device, preset and settings chosen
// and checked.
#ifndef EXPERIMENTS_SESSION_H_
#define EXPERIMENTS_SESSION_H_

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "experiments/options.h"
#include "spion/data/task.h"
#include "spion/platform/device.h"
#include "spion/train/experiment.h"

namespace spion {

struct Session {
  Experiment experiment;
  TaskData data;
  c10::Device device;
  std::string out_dir;
  absl::Time start;  // before anything was done for it
  /// For the user, a line each: what was chosen, and what is worth a note. To be said when nothing
  /// is left that refuses the command, as an error stands alone.
  std::vector<std::string> choices;
};

/// What is to be run, by one of so many ranks, as far as it is known without its data. Errors:
/// those of the options, and of settings that are wrong whatever the data.
absl::StatusOr<Experiment> Plan(const Options& options, const DeviceChoice& device, int ranks);

/// The same with its data. Says and writes nothing. Errors: those of the data, and of settings that
/// do not fit.
absl::StatusOr<Session> Prepare(const Options& options, const DeviceChoice& device,
                                Experiment experiment, int ranks);

}  // namespace spion

#endif  // EXPERIMENTS_SESSION_H_
