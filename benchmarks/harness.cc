#include "benchmarks/harness.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <regex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "benchmarks/passed_flags.h"
#include "benchmarks/plain_name_reporter.h"
#include "spion/base/fail.h"
#include "spion/base/file.h"
#include "spion/base/program.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/base/version.h"
#include "spion/platform/build_info.h"
#include "spion/platform/device.h"

namespace spion {
namespace {

void AddContext() {
  const BuildInfo build = GetBuildInfo();
  benchmark::AddCustomContext("version", Version());
  benchmark::AddCustomContext("commit", std::string(build.commit) + (build.dirty ? "+" : ""));
  benchmark::AddCustomContext("torch", build.torch_version);
  benchmark::AddCustomContext("cuda", build.cuda_version);
  benchmark::AddCustomContext("cpu", DeviceName(at::kCPU));
}

// The reporter for a file, as --benchmark_out_format says.
std::unique_ptr<benchmark::BenchmarkReporter> MakeFileReporter(absl::string_view format) {
  if (format == "console") {
    return std::make_unique<benchmark::ConsoleReporter>(benchmark::ConsoleReporter::OO_None);
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // deprecated, yet still its CSV
  if (format == "csv") return std::make_unique<benchmark::CSVReporter>();
#pragma GCC diagnostic pop
  return std::make_unique<benchmark::JSONReporter>();
}

// Flags whose work the harness does itself, because Google Benchmark's would show its own names.
struct OwnFlags {
  bool list_tests = false;
  bool version = false;
  bool help = false;
  std::string out;  // empty: no file
  std::string out_format = "json";
};

// Takes them from the arguments, and leaves what Google Benchmark is to be given.
absl::StatusOr<OwnFlags> TakeOwnFlags(std::vector<std::string>& arguments,
                                      const std::vector<Flag>& programs) {
  OwnFlags own;
  std::vector<std::string> passed = {arguments.front()};
  std::vector<Flag> flags = programs;
  // Who has flags has taken --help with them.
  if (programs.empty()) flags.push_back(Switch("help", "", own.help));
  const std::vector<Flag> ours = {Switch("benchmark_list_tests", "", own.list_tests),
                                  Switch("version", "", own.version),
                                  {"benchmark_out", "FILE", "", SetText(own.out)},
                                  {"benchmark_out_format", "json|console|csv", "",
                                   SetOneOf(own.out_format, {"json", "console", "csv"})}};
  for (const std::vector<Flag>& others : {ours, PassedFlags(passed)}) {
    flags.insert(flags.end(), others.begin(), others.end());
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   ParseArguments({arguments.begin() + 1, arguments.end()}, flags));
  if (!names.empty()) return UnknownArgument(names.front(), flags);
  arguments = std::move(passed);
  return own;
}

// The first of these names, a few.
std::string Some(const std::vector<std::string>& names) {
  constexpr size_t kFew = 4;
  const auto end = names.begin() + static_cast<int64_t>(std::min(kFew, names.size()));
  return absl::StrCat(absl::StrJoin(names.begin(), end, ", "), names.size() > kFew ? ", ..." : "");
}

// False if Google Benchmark does not take them after all.
bool Initialize(std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
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
  if (!Wants(name)) {
    left_out_.push_back(name);
    return;
  }
  if (names_.empty() && !title_.empty()) std::cerr << title_ << std::endl;
  names_.push_back(name);
  benchmark::internal::Benchmark* added =
      benchmark::RegisterBenchmark(name.c_str(), std::move(run))->Unit(benchmark::kMillisecond);
  if (clock == Clock::kManual) added->UseManualTime();
}

int RunMain(int (*main)(int argc, char** argv), int argc, char** argv) {
  BeginProgram();
  try {
    const int code = main(argc, argv);
    return code == 0 ? EndProgram(absl::OkStatus()) : code;
  } catch (const c10::Error& error) {
    return Fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}

void GoToUserDirectory() {
  const absl::Status entered = EnterUserDirectory();
  if (entered.ok()) return;
  Fail(entered.message());
  std::exit(1);
}

void PrintHelp(absl::string_view program, const std::vector<Flag>& flags) {
  std::cout << program << " [FLAG ...]\n\n"
            << FlagsHelp(flags) << "\nGoogle Benchmark's:\n\n"
            << std::flush;
  benchmark::PrintDefaultHelp();
}

std::string SetTitle(absl::string_view program, absl::string_view asked,
                     const DeviceChoice& choice) {
  std::string reason = choice.reason;
  if (reason.empty()) {
    reason =
        asked == "auto" ? "there is a GPU that SPION can use" : absl::StrCat("--device=", asked);
  }
  return absl::StrCat(program, ": the ", choice.device.is_cuda() ? "GPU" : "CPU", " set: ", reason);
}

int RunBenchmarks(const std::vector<std::string>& given,
                  absl::FunctionRef<bool(BenchmarkList&)> prepare,
                  const std::vector<Flag>& programs_flags) {
  GoToUserDirectory();
  // As flags, which a flag of the user's overrides; set on a benchmark, they would join its name.
  std::vector<std::string> arguments = {given.front(), "--benchmark_repetitions=9",
                                        "--benchmark_display_aggregates_only=true"};
  arguments.insert(arguments.end(), given.begin() + 1, given.end());
  const absl::StatusOr<OwnFlags> own = TakeOwnFlags(arguments, programs_flags);
  if (!own.ok()) return Fail(own.status().message());
  const OwnFlags& flags = *own;
  if (flags.help) {
    PrintHelp(std::filesystem::path(given.front()).filename().string(), programs_flags);
    return 0;
  }
  if (flags.version) {
    std::cout << VersionText();
    return 0;
  }
  const std::string partial = flags.out + ".partial";
  if (!flags.out.empty()) {
    // Now, and not after all benchmarks; it is Google Benchmark's to write.
    const absl::Status fits = AtomicFile::Create(flags.out).status();
    if (!fits.ok()) return Fail(absl::StrCat("--benchmark_out: ", fits.message()));
    arguments.push_back(absl::StrCat("--benchmark_out=", partial));
  }
  if (!Initialize(arguments)) return 1;

  const std::string filter = benchmark::GetBenchmarkFilter();
  absl::StatusOr<BenchmarkList> list = BenchmarkList::Create(filter);
  if (!list.ok()) return Fail(list.status().message());
  list->set_only_listed(flags.list_tests);
  AddContext();
  if (!prepare(*list)) return 1;
  if (list->names().empty()) {
    return Fail(absl::StrCat("no benchmark matches --benchmark_filter=", filter,
                             "; on this device there are ", Some(list->left_out()),
                             "; --benchmark_list_tests lists them all"));
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
