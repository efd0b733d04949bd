#include "benchmarks/harness.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <regex>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "benchmarks/plain_name_reporter.h"
#include "spion/base/user_directory.h"
#include "spion/train/build_info.h"
#include "spion/train/device.h"

namespace spion {
namespace {

int Fail(absl::string_view message) {
  std::cerr << "error: " << message << std::endl;
  return 1;
}

void AddContext() {
  const BuildInfo build = GetBuildInfo();
  benchmark::AddCustomContext("commit", std::string(build.commit) + (build.dirty ? "+" : ""));
  benchmark::AddCustomContext("torch", build.torch_version);
  benchmark::AddCustomContext("cuda", build.cuda_version);
  benchmark::AddCustomContext("cpu", DeviceName(at::kCPU));
}

// Removes --NAME=VALUE (or a bare --NAME, which counts as "true") and returns the last such value.
std::optional<std::string> TakeFlag(std::vector<std::string>& arguments, absl::string_view name) {
  std::optional<std::string> value;
  for (auto it = arguments.begin(); it != arguments.end();) {
    absl::string_view rest = *it;
    if (absl::ConsumePrefix(&rest, absl::StrCat("--", name)) &&
        (rest.empty() || absl::ConsumePrefix(&rest, "="))) {
      value = rest.empty() && !absl::EndsWith(*it, "=") ? "true" : std::string(rest);
      it = arguments.erase(it);
    } else {
      ++it;
    }
  }
  return value;
}

// The reporter for a file, as --benchmark_out_format says; nothing for an unknown format.
std::unique_ptr<benchmark::BenchmarkReporter> MakeFileReporter(absl::string_view format) {
  if (format == "json") return std::make_unique<benchmark::JSONReporter>();
  if (format == "console") {
    return std::make_unique<benchmark::ConsoleReporter>(benchmark::ConsoleReporter::OO_None);
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // deprecated, yet still its CSV
  if (format == "csv") return std::make_unique<benchmark::CSVReporter>();
#pragma GCC diagnostic pop
  return nullptr;
}

// Flags whose work the harness does itself, because Google Benchmark's would show its own names.
struct OwnFlags {
  bool list_tests = false;
  std::string out;  // empty: no file
  std::string out_format = "json";
};

OwnFlags TakeOwnFlags(std::vector<std::string>& arguments) {
  OwnFlags flags;
  const std::string list = TakeFlag(arguments, "benchmark_list_tests").value_or("false");
  flags.list_tests = list != "false" && list != "0";
  flags.out = TakeFlag(arguments, "benchmark_out").value_or("");
  flags.out_format = TakeFlag(arguments, "benchmark_out_format").value_or(flags.out_format);
  return flags;
}

// Google Benchmark takes the flags it knows; false if others are left.
bool Initialize(std::vector<std::string>& arguments, void (*print_own_flags)()) {
  // Its help has no room for a capture.
  static void (*print_own)() = nullptr;
  print_own = print_own_flags;
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data(), [] {
    if (print_own != nullptr) print_own();
    benchmark::PrintDefaultHelp();
  });
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

void RunAll(const OwnFlags& flags) {
  PlainNameReporter display{
      std::unique_ptr<benchmark::BenchmarkReporter>(benchmark::CreateDefaultDisplayReporter())};
  if (flags.out.empty()) {
    benchmark::RunSpecifiedBenchmarks(&display, nullptr, "all");
    return;
  }
  PlainNameReporter file(MakeFileReporter(flags.out_format));
  benchmark::RunSpecifiedBenchmarks(&display, &file, "all");
}

}  // namespace

BenchmarkList::BenchmarkList(std::function<bool(const std::string&)> wanted)
    : wanted_(std::move(wanted)) {}

absl::StatusOr<BenchmarkList> BenchmarkList::Create(const std::string& filter) {
  if (filter.empty() || filter == "all") {
    return BenchmarkList([](const std::string&) { return true; });
  }
  const bool must_match = filter[0] != '-';
  try {
    const std::regex regex(must_match ? filter : filter.substr(1), std::regex::extended);
    return BenchmarkList([regex, must_match](const std::string& name) {
      return std::regex_search(name, regex) == must_match;
    });
  } catch (const std::regex_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("--benchmark_filter=", filter, " is no regular expression: ", error.what()));
  }
}

void BenchmarkList::Add(const std::string& name, std::function<void(benchmark::State&)> run,
                        Clock clock) {
  if (!Wants(name)) return;
  names_.push_back(name);
  benchmark::internal::Benchmark* added =
      benchmark::RegisterBenchmark(name.c_str(), std::move(run))->Unit(benchmark::kMillisecond);
  if (clock == Clock::kManual) added->UseManualTime();
}

void GoToUserDirectory() {
  const absl::Status entered = EnterUserDirectory();
  if (entered.ok()) return;
  Fail(entered.message());
  std::exit(1);
}

int RunBenchmarks(int argc, char** argv, const HarnessOptions& options,
                  absl::FunctionRef<bool(BenchmarkList&)> prepare) {
  GoToUserDirectory();
  // As flags, which a flag of the user's overrides; set on a benchmark, they would join its name.
  std::vector<std::string> arguments = {argv[0], "--benchmark_repetitions=9",
                                        "--benchmark_display_aggregates_only=true"};
  arguments.insert(arguments.end(), options.default_flags.begin(), options.default_flags.end());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  const OwnFlags flags = TakeOwnFlags(arguments);
  if (MakeFileReporter(flags.out_format) == nullptr) {
    return Fail(absl::StrCat("--benchmark_out_format=", flags.out_format,
                             " is not known; the formats are json, console, csv"));
  }
  const std::string partial = flags.out + ".partial";
  if (!flags.out.empty()) arguments.push_back(absl::StrCat("--benchmark_out=", partial));
  if (!Initialize(arguments, options.print_own_flags)) return 1;

  const std::string filter = benchmark::GetBenchmarkFilter();
  absl::StatusOr<BenchmarkList> list = BenchmarkList::Create(filter);
  if (!list.ok()) return Fail(list.status().message());
  list->set_only_listed(flags.list_tests);
  AddContext();
  if (!prepare(*list)) return 1;
  if (list->names().empty()) {
    return Fail(absl::StrCat("no benchmark matches --benchmark_filter=", filter,
                             "; --benchmark_list_tests lists them"));
  }
  if (flags.list_tests) {
    for (const std::string& name : list->names()) std::cout << name << "\n";
    return 0;
  }
  RunAll(flags);
  benchmark::Shutdown();
  // What the benchmarks hold on a device must go before the device's library does, at exit.
  benchmark::ClearRegisteredBenchmarks();
  if (!flags.out.empty() && std::rename(partial.c_str(), flags.out.c_str()) != 0) {
    return Fail(
        absl::StrCat("cannot rename ", partial, " to ", flags.out, ": ", std::strerror(errno)));
  }
  return 0;
}

}  // namespace spion
