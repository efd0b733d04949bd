// How the user started the program, for messages that tell a command.
#ifndef EXPERIMENTS_START_COMMAND_H_
#define EXPERIMENTS_START_COMMAND_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace spion {

/// "bundle/run lra", as it was typed and good for a shell, where a bundle's `run` started the
/// program, which says so in the environment's SPION_STARTED_BY (tools/bundle/run); else nothing.
std::optional<std::string> Starter();

/// What starts `task` with `method` in the same way, by Bazel where there is no Starter; flags may
/// follow.
std::string StartCommand(absl::string_view task, absl::string_view method);

}  // namespace spion

#endif  // EXPERIMENTS_START_COMMAND_H_
