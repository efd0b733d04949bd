// Writes the ListOps data set as the files of Long Range Arena.
//
//   bazel run //tools:make_listops -- --out=/data/listops [--seed=1001] [--train=96000] [--force]
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/command_line.h"
#include "spion/base/program.h"
#include "spion/base/status.h"
#include "spion/base/user_directory.h"
#include "spion/base/version.h"
#include "spion/data/listops_files.h"
#include "spion/data/listops_generator.h"
#include "spion/data/task.h"

namespace {

struct Options {
  std::string out;
  uint64_t seed = spion::TaskOptions().seed;
  spion::GeneratedSizes sizes = spion::kListOpsSizes;
  bool force = false;
  bool help = false;
  bool version = false;
};

std::vector<spion::Flag> Flags(Options& options) {
  return {{"out", "DIR", "the folder to write the three files into", spion::SetText(options.out)},
          {"seed", "N",
           absl::StrCat("of the expressions; the same seed gives the same files on every machine (",
                        options.seed, ")"),
           spion::SetWhole(options.seed)},
          {"train", "N", absl::StrCat("expressions in basic_train.tsv (", options.sizes.train, ")"),
           spion::SetWhole(options.sizes.train)},
          {"dev", "N", absl::StrCat("expressions in basic_val.tsv (", options.sizes.dev, ")"),
           spion::SetWhole(options.sizes.dev)},
          {"test", "N", absl::StrCat("expressions in basic_test.tsv (", options.sizes.test, ")"),
           spion::SetWhole(options.sizes.test)},
          spion::Switch("force", "overwrite files that are there", options.force),
          spion::Switch("help", "this text", options.help),
          spion::Switch("version", "which version this is", options.version)};
}

absl::Status CheckPositive(const char* flag, int64_t size) {
  if (size > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", size, ": a positive number of expressions was expected"));
}

absl::Status Run(const std::vector<std::string>& arguments) {
  Options options;
  const std::vector<spion::Flag> flags = Flags(options);
  ASSIGN_OR_RETURN(const std::vector<std::string> others, spion::ParseArguments(arguments, flags));
  if (!others.empty()) return spion::UnknownArgument(others.front(), flags);
  if (options.help) {
    std::cout << "Writes the ListOps data set as basic_train.tsv, basic_val.tsv and "
                 "basic_test.tsv.\n\n  bazel run //tools:make_listops -- --out=DIR [FLAG ...]\n\n"
              << spion::FlagsHelp(flags) << "\nDefaults in brackets.\n";
    return absl::OkStatus();
  }
  if (options.version) {
    std::cout << spion::VersionText();
    return absl::OkStatus();
  }
  if (options.out.empty()) {
    return absl::InvalidArgumentError(
        "--out is missing: give the folder to write the files into, as in --out=/data/listops");
  }
  const std::string folder =
      (std::filesystem::path(spion::UserDirectory()) / options.out).lexically_normal();
  RETURN_IF_ERROR(CheckPositive("train", options.sizes.train));
  RETURN_IF_ERROR(CheckPositive("dev", options.sizes.dev));
  RETURN_IF_ERROR(CheckPositive("test", options.sizes.test));
  absl::Status written = spion::WriteListOps(folder, options.seed, options.sizes,
                                             /*overwrite=*/options.force);
  if (absl::IsAlreadyExists(written)) {
    return absl::AlreadyExistsError(
        absl::StrCat(written.message(), "; --force overwrites, or give another folder as --out"));
  }
  RETURN_IF_ERROR(written);
  std::cout << "wrote " << options.sizes.train << " train, " << options.sizes.dev << " dev, "
            << options.sizes.test << " test expressions, seed " << options.seed << ", into "
            << folder << std::endl;
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  spion::BeginProgram();
  return spion::EndProgram(Run({argv + 1, argv + argc}));
}
