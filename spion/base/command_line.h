// The flags of a program, written the same way in all of them:
//
//   --name=value, --name value    a flag
//   --name, --name=true|false     a switch (yes, no, 1 and 0 too; --noname for false)
//
//   std::string out;
//   bool force = false;
//   const std::vector<Flag> flags = {{"out", "DIR", "the folder to write into", SetText(out)},
//                                    Switch("force", "overwrite what is there", force)};
//   ASSIGN_OR_RETURN(const std::vector<std::string> names, ParseArguments(arguments, flags));
//
// Of two values the last one holds. `-h` is `--help`, if a program has that.
#ifndef SPION_BASE_COMMAND_LINE_H_
#define SPION_BASE_COMMAND_LINE_H_

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace spion {

/// Takes a flag's value. Errors: `"<value>"; expected <what>`.
using FlagSetter = std::function<absl::Status(absl::string_view value)>;

/// The values of a switch, by which it is one.
inline constexpr absl::string_view kSwitchValues = "true|false";

struct Flag {
  std::string name;    // without dashes
  std::string values;  // as the help shows them: "DIR", "auto|cpu", kSwitchValues
  std::string help;
  FlagSetter set;
};

/// `"<value>"; expected <what>`, with a name of `known` that it may be a slip of.
absl::Status BadValue(absl::string_view value, absl::string_view expected,
                      absl::Span<const std::string> known = {});

/// A switch's value: true, yes, 1 or false, no, 0, in any case.
absl::StatusOr<bool> ReadSwitch(absl::string_view text);

Flag Switch(std::string name, std::string help, bool& field);

FlagSetter SetText(std::string& field);

/// A whole number that the field can hold.
template <class Integer>
FlagSetter SetWhole(Integer& field) {
  return [&field](absl::string_view value) {
    Integer number = 0;
    if (!absl::SimpleAtoi(value, &number)) {
      return BadValue(value,
                      std::is_signed_v<Integer> ? "a whole number" : "a whole number, 0 or more");
    }
    field = number;
    return absl::OkStatus();
  };
}

template <class Integer>
FlagSetter SetWhole(std::optional<Integer>& field) {
  return [&field](absl::string_view value) { return SetWhole(field.emplace())(value); };
}

/// One of these names, each with what it stands for.
template <class Value>
FlagSetter SetOneOf(Value& field, std::vector<std::pair<std::string, Value>> choices);
/// One of these names.
FlagSetter SetOneOf(std::string& field, std::vector<std::string> choices);

/// Sets the flags, and returns the other arguments in their order; other programs' flags too.
/// Errors: InvalidArgument for a value that is missing or bad, naming flag, value and what was
/// expected.
absl::StatusOr<std::vector<std::string>> TakeFlags(const std::vector<std::string>& arguments,
                                                   const std::vector<Flag>& flags);

/// The same where there are no other flags: returns what is none.
/// Errors: those of TakeFlags; UnknownArgument.
absl::StatusOr<std::vector<std::string>> ParseArguments(const std::vector<std::string>& arguments,
                                                        const std::vector<Flag>& flags);

/// InvalidArgument, with the flag that `argument` may be a slip of, or with all of them.
absl::Status UnknownArgument(absl::string_view argument, const std::vector<Flag>& flags);

/// A line each, for --help.
std::string FlagsHelp(const std::vector<Flag>& flags);

// ---- Of the template ----

/// The place of `value` among the `choices`. Errors: BadValue, naming all.
absl::StatusOr<size_t> FindChoice(absl::string_view value, absl::Span<const std::string> choices);

template <class Value>
FlagSetter SetOneOf(Value& field, std::vector<std::pair<std::string, Value>> choices) {
  return [&field, choices = std::move(choices)](absl::string_view value) {
    std::vector<std::string> names;
    for (const auto& [name, meant] : choices) names.push_back(name);
    const absl::StatusOr<size_t> found = FindChoice(value, names);
    if (found.ok()) field = choices[*found].second;
    return found.status();
  };
}

}  // namespace spion

#endif  // SPION_BASE_COMMAND_LINE_H_
