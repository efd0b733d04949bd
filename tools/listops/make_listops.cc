// Writes the ListOps data set as the files of Long Range Arena.
//
//   bazel run //tools:make_listops -- --out /data/listops [--seed 1001] [--train 96000] [--force]
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"
#include "spion/data/listops_files.h"
#include "spion/data/listops_generator.h"
#include "spion/data/task.h"

ABSL_FLAG(std::string, out, "", "the folder to write the three files into");
ABSL_FLAG(uint64_t, seed, spion::TaskOptions().seed,
          "of the expressions; the same seed gives the same files on every machine");
ABSL_FLAG(int64_t, train, spion::kListOpsSizes.train, "expressions in basic_train.tsv");
ABSL_FLAG(int64_t, dev, spion::kListOpsSizes.dev, "expressions in basic_val.tsv");
ABSL_FLAG(int64_t, test, spion::kListOpsSizes.test, "expressions in basic_test.tsv");
ABSL_FLAG(bool, force, false, "overwrite files that are there");

namespace {

/// `path`, from where the user stands: bazel run starts programs elsewhere and tells the folder.
std::string FromUserDirectory(const std::string& path) {
  const char* user = std::getenv("BUILD_WORKING_DIRECTORY");
  return user == nullptr ? path : (std::filesystem::path(user) / path).lexically_normal().string();
}

absl::Status CheckPositive(const char* flag, int64_t size) {
  if (size > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", size, ": a positive number of expressions was expected"));
}

absl::Status Run(const std::vector<char*>& arguments) {
  if (arguments.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown argument \"", arguments[1],
                     "\"; the flags are --out, --seed, --train, --dev, --test, --force, --help"));
  }
  if (absl::GetFlag(FLAGS_out).empty()) {
    return absl::InvalidArgumentError(
        "--out is missing: give the folder to write the files into, as in --out /data/listops");
  }
  const std::string folder = FromUserDirectory(absl::GetFlag(FLAGS_out));
  const spion::GeneratedSizes sizes = {.train = absl::GetFlag(FLAGS_train),
                                       .dev = absl::GetFlag(FLAGS_dev),
                                       .test = absl::GetFlag(FLAGS_test)};
  RETURN_IF_ERROR(CheckPositive("train", sizes.train));
  RETURN_IF_ERROR(CheckPositive("dev", sizes.dev));
  RETURN_IF_ERROR(CheckPositive("test", sizes.test));
  absl::Status written = spion::WriteListOps(folder, absl::GetFlag(FLAGS_seed), sizes,
                                             /*overwrite=*/absl::GetFlag(FLAGS_force));
  if (absl::IsAlreadyExists(written)) {
    return absl::AlreadyExistsError(
        absl::StrCat(written.message(), "; --force overwrites, or give another folder as --out"));
  }
  RETURN_IF_ERROR(written);
  std::cout << "wrote " << sizes.train << " train, " << sizes.dev << " dev, " << sizes.test
            << " test expressions, seed " << absl::GetFlag(FLAGS_seed) << ", into " << folder
            << std::endl;
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Writes the ListOps data set as basic_train.tsv, basic_val.tsv and basic_test.tsv.\n\n"
      "  bazel run //tools:make_listops -- --out DIR [--seed N] [--train N] [--dev N] [--test N] "
      "[--force]");
  const absl::Status status = Run(absl::ParseCommandLine(argc, argv));
  if (status.ok()) return 0;
  std::cerr << "error: " << status.message() << std::endl;
  return 1;
}
