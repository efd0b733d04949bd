// A run's command line, one argument a line.
#include "experiments/options.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& known =
      *new spion::KnownNames{.tasks = {"image", "text"}, .methods = {"cf", "dense"}};
  std::vector<std::string> arguments =
      absl::StrSplit(absl::string_view(reinterpret_cast<const char*>(data), size), '\n');
  arguments.insert(arguments.begin(), "lra");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const auto options = spion::ParseOptions(static_cast<int>(arguments.size()), argv.data(), known);
  if (!options.ok()) return 0;
  const bool runs = !options->help && !options->version;
  if (runs && (options->task.empty() || options->method.empty())) std::abort();
  (void)spion::HelpText(*options, known);
  return 0;
}
