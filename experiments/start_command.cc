#include "experiments/start_command.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace spion {

std::optional<std::string> Starter() {
  const char* starter = std::getenv("SPION_STARTED_BY");
  if (starter == nullptr || *starter == '\0') return std::nullopt;
  return starter;
}

std::string StartCommand(absl::string_view task, absl::string_view method) {
  if (const std::optional<std::string> starter = Starter(); starter.has_value()) {
    return absl::StrCat(*starter, " --task=", task, " --method=", method);
  }
  return absl::StrCat("bazel run //experiments:lra_", task, "_", method, " --");
}

}  // namespace spion
