#include "benchmarks/passed_flags.h"

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "spion/base/status.h"

namespace spion {
namespace {

absl::Status AnyText(absl::string_view) { return absl::OkStatus(); }

absl::Status IsSwitchValue(absl::string_view value) { return ReadSwitch(value).status(); }

FlagSetter IsOneOf(std::vector<std::string> names) {
  return [names = std::move(names)](absl::string_view value) {
    return FindChoice(value, names).status();
  };
}

FlagSetter IsWhole(int64_t least, int64_t most) {
  return [least, most](absl::string_view value) {
    int64_t number = 0;
    if (absl::SimpleAtoi(value, &number) && number >= least && number <= most) {
      return absl::OkStatus();
    }
    return BadValue(value, absl::StrCat("a whole number from ", least, " to ", most));
  };
}

absl::Status IsSeconds(absl::string_view value) {
  double seconds = 0;
  const bool is_number = absl::SimpleAtod(value, &seconds) && std::isfinite(seconds);
  return is_number && seconds >= 0 ? absl::OkStatus()
                                   : BadValue(value, "a number of seconds, 0 or more");
}

absl::Status IsContext(absl::string_view value) {
  for (const absl::string_view pair : absl::StrSplit(value, ',')) {
    if (!absl::StrContains(pair, '=')) return BadValue(value, "<key>=<value>, ...");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Flag> PassedFlags(std::vector<std::string>& passed) {
  constexpr int64_t kMostRepetitions = 10000;
  constexpr int64_t kMostVerbose = 100;
  const auto flag = [&passed](const std::string& name, std::string values,
                              FlagSetter check) -> Flag {
    FlagSetter pass = [&passed, name, check = std::move(check)](absl::string_view value) {
      RETURN_IF_ERROR(check(value));
      passed.push_back(absl::StrCat("--", name, "=", value));
      return absl::OkStatus();
    };
    return {.name = name, .values = std::move(values), .help = "", .set = std::move(pass)};
  };
  const auto a_switch = [&flag](const std::string& name) {
    return flag(name, std::string(kSwitchValues), IsSwitchValue);
  };
  return {
      flag("benchmark_filter", "REGEX", AnyText),
      flag("benchmark_min_time", "SECONDS", IsSeconds),
      flag("benchmark_min_warmup_time", "SECONDS", IsSeconds),
      flag("benchmark_repetitions", "N", IsWhole(1, kMostRepetitions)),
      a_switch("benchmark_enable_random_interleaving"),
      a_switch("benchmark_report_aggregates_only"),
      a_switch("benchmark_display_aggregates_only"),
      flag("benchmark_format", "console|json|csv", IsOneOf({"console", "json", "csv"})),
      flag("benchmark_color", "auto|true|false", IsOneOf({"auto", "true", "false"})),
      a_switch("benchmark_counters_tabular"),
      flag("benchmark_context", "KEY=VALUE,...", IsContext),
      flag("benchmark_perf_counters", "COUNTER,...", AnyText),
      flag("benchmark_time_unit", "ns|us|ms|s", IsOneOf({"ns", "us", "ms", "s"})),
      flag("v", "LEVEL", IsWhole(0, kMostVerbose)),
  };
}

}  // namespace spion
