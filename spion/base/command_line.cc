#include "spion/base/command_line.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "spion/base/did_you_mean.h"
#include "spion/base/status.h"

namespace spion {
namespace {

bool IsSwitch(const Flag& flag) { return flag.values == kSwitchValues; }

// What an argument says: `--<name>`, or `--<name>=<value>`.
struct Written {
  absl::string_view name;
  std::optional<absl::string_view> value;
};

// Nothing where `argument` is written otherwise.
std::optional<Written> AsFlag(absl::string_view argument) {
  if (argument == "-h") return Written{.name = "help", .value = {}};
  if (!absl::ConsumePrefix(&argument, "--")) return std::nullopt;
  const size_t equals = argument.find('=');
  if (equals == absl::string_view::npos) return Written{.name = argument, .value = {}};
  return Written{.name = argument.substr(0, equals), .value = argument.substr(equals + 1)};
}

const Flag* Find(absl::string_view name, const std::vector<Flag>& flags) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

// The flag that is meant, with the value of a switch that is written without: --name or --noname.
const Flag* Find(Written& written, const std::vector<Flag>& flags) {
  if (const Flag* flag = Find(written.name, flags); flag != nullptr) {
    if (!written.value.has_value() && IsSwitch(*flag)) written.value = "true";
    return flag;
  }
  absl::string_view name = written.name;
  if (written.value.has_value() || !absl::ConsumePrefix(&name, "no")) return nullptr;
  const Flag* flag = Find(name, flags);
  if (flag == nullptr || !IsSwitch(*flag)) return nullptr;
  written.value = "false";
  return flag;
}

}  // namespace

absl::Status BadValue(absl::string_view value, absl::string_view expected,
                      absl::Span<const std::string> known) {
  const std::string meant = DidYouMean(value, known);
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", value, "\"; ", meant.empty() ? "" : absl::StrCat("did you mean \"", meant, "\"? "),
      "expected ", expected));
}

absl::StatusOr<bool> ReadSwitch(absl::string_view text) {
  bool value = false;
  if (!absl::SimpleAtob(text, &value)) return BadValue(text, "true or false");
  return value;
}

Flag Switch(std::string name, std::string help, bool& field) {
  return {.name = std::move(name),
          .values = std::string(kSwitchValues),
          .help = std::move(help),
          .set = [&field](absl::string_view value) {
            const absl::StatusOr<bool> read = ReadSwitch(value);
            if (read.ok()) field = *read;
            return read.status();
          }};
}

FlagSetter SetText(std::string& field) {
  return [&field](absl::string_view value) {
    field = std::string(value);
    return absl::OkStatus();
  };
}

FlagSetter SetOneOf(std::string& field, std::vector<std::string> choices) {
  return [&field, choices = std::move(choices)](absl::string_view value) {
    const absl::StatusOr<size_t> found = FindChoice(value, choices);
    if (found.ok()) field = choices[*found];
    return found.status();
  };
}

absl::StatusOr<size_t> FindChoice(absl::string_view value, absl::Span<const std::string> choices) {
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found != choices.end()) return found - choices.begin();
  return BadValue(value, absl::StrCat("one of ", absl::StrJoin(choices, ", ")), choices);
}

absl::StatusOr<std::vector<std::string>> TakeFlags(const std::vector<std::string>& arguments,
                                                   const std::vector<Flag>& flags) {
  std::vector<std::string> others;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    std::optional<Written> written = AsFlag(*argument);
    const Flag* flag = written.has_value() ? Find(*written, flags) : nullptr;
    if (flag == nullptr) {
      others.push_back(*argument);
      continue;
    }
    if (!written->value.has_value()) {
      if (argument + 1 == arguments.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--", flag->name, " needs a value: --", flag->name, "=", flag->values));
      }
      written->value = *++argument;
    }
    const absl::Status status = flag->set(*written->value);
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--", flag->name, "=", status.message()));
    }
  }
  return others;
}

absl::StatusOr<std::vector<std::string>> ParseArguments(const std::vector<std::string>& arguments,
                                                        const std::vector<Flag>& flags) {
  ASSIGN_OR_RETURN(std::vector<std::string> others, TakeFlags(arguments, flags));
  for (const std::string& other : others) {
    if (absl::StartsWith(other, "-")) return UnknownArgument(other, flags);
  }
  return others;
}

absl::Status UnknownArgument(absl::string_view argument, const std::vector<Flag>& flags) {
  std::vector<std::string> names;
  for (const Flag& flag : flags) names.push_back(flag.name);
  absl::string_view name = argument.substr(0, argument.find('='));
  while (absl::ConsumePrefix(&name, "-")) continue;
  std::string hint = absl::StrCat("the flags are --", absl::StrJoin(names, ", --"));
  if (const std::string meant = DidYouMean(name, names); !meant.empty()) {
    hint = absl::StrCat("did you mean --", meant, "? --help lists the flags");
  } else if (ReadSwitch(argument).ok()) {
    hint = "the value of a switch stands behind =, as in --name=false";
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown argument \"", argument, "\"; ", hint));
}

std::string FlagsHelp(const std::vector<Flag>& flags) {
  std::vector<std::string> forms;
  size_t width = 0;
  for (const Flag& flag : flags) {
    forms.push_back(IsSwitch(flag) ? absl::StrCat(flag.name, "[=", flag.values, "]")
                                   : absl::StrCat(flag.name, "=", flag.values));
    width = std::max(width, forms.back().size());
  }
  std::string text;
  for (size_t i = 0; i < flags.size(); ++i) {
    absl::StrAppendFormat(&text, "  --%-*s  %s\n", static_cast<int>(width), forms[i],
                          flags[i].help);
  }
  return text;
}

}  // namespace spion
