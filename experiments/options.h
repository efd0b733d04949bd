// The command line of an experiment: the same flags for every task and method.
#ifndef EXPERIMENTS_OPTIONS_H_
#define EXPERIMENTS_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace spion {

enum class Mode { kTrain, kEval, kManifest };
enum class PresetChoice { kAuto, kQuick, kPaper };

/// Training steps, counted from 1, both included.
struct StepRange {
  int64_t first = 0;
  int64_t last = 0;
};

/// Some 10 MB of trace.
inline constexpr StepRange kDefaultTraceSteps = {.first = 1, .last = 32};

struct Options {
  std::string task;    // empty: none is given, and help is asked for
  std::string method;  // likewise
  Mode mode = Mode::kTrain;
  PresetChoice preset = PresetChoice::kAuto;
  std::string data_dir;    // absolute; empty: none
  std::string out_dir;     // absolute; empty: the default
  std::string checkpoint;  // absolute; eval only
  /// Those that differ from the preset's: name and text, good for SetHyperParameter.
  std::vector<std::pair<std::string, std::string>> hyper_parameters;
  bool refuse_truncated = false;
  uint64_t seed = 1001;
  std::string device = "auto";
  std::string precision = "auto";
  bool cuda_graph = true;
  bool keep_maps = false;
  std::string patterns;  // absolute; empty: made from the maps
  bool resume = false;
  int64_t save_interval = 0;  // 0: about every five minutes
  std::string trace;          // absolute; empty: none
  std::optional<StepRange> trace_steps;
  bool help = false;
  bool version = false;
  std::vector<std::string> command;  // as typed, for the manifest
};

/// What --task and --method take.
struct KnownNames {
  std::vector<std::string> tasks;
  std::vector<std::string> methods;
};

/// Relative paths are the user's (spion/base/user_directory.h). Task and method are given, unless
/// help or the version is asked for.
/// Errors: InvalidArgument for an unknown flag or a value out of range, naming the valid ones; for
/// one that is missing, or does not go with another.
absl::StatusOr<Options> ParseOptions(int argc, char** argv, const KnownNames& known);

/// What --help prints.
std::string HelpText(const Options& options, const KnownNames& known);

}  // namespace spion

#endif  // EXPERIMENTS_OPTIONS_H_
