#include "spion/base/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <string>

namespace spion {
namespace {

using testing::ExitedWithCode;

constexpr int kAsExpected = 7;

// In a process that exits with kAsExpected: what of 0 to 2 was open is so still, the rest is
// /dev/null.
void BeginWithClosed(std::initializer_list<int> closed) {
  for (const int number : closed) close(number);
  BeginProgram();
  char byte = 0;
  for (const int number : closed) {
    if (write(number, &byte, 1) != 1 || read(number, &byte, 1) != 0) _exit(number);
  }
  _exit(fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
                fcntl(STDERR_FILENO, F_GETFD) < 0
            ? EXIT_FAILURE
            : kAsExpected);
}

TEST(BeginProgramTest, WhatIsClosedOfStdinStdoutAndStderrIsNull) {
  EXPECT_EXIT(BeginWithClosed({0, 1, 2}), ExitedWithCode(kAsExpected), "");
  EXPECT_EXIT(BeginWithClosed({1}), ExitedWithCode(kAsExpected), "");
  EXPECT_EXIT(BeginWithClosed({0, 2}), ExitedWithCode(kAsExpected), "");
  EXPECT_EXIT(BeginWithClosed({}), ExitedWithCode(kAsExpected), "");
}

void WriteBeyondTheLimit() {
  const std::string path = testing::TempDir() + "/limited";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const rlimit limit = {.rlim_cur = 0, .rlim_max = 0};
  BeginProgram();
  if (file < 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(EXIT_FAILURE);
  _exit(write(file, "text", 4) < 0 && errno == EFBIG ? kAsExpected : EXIT_FAILURE);
}

TEST(BeginProgramTest, AFileThatGrowsTooLargeIsAnErrorOfItsWrite) {
  EXPECT_EXIT(WriteBeyondTheLimit(), ExitedWithCode(kAsExpected), "");
}

TEST(EndProgramTest, SaysTheErrorAndGivesTheExitCode) {
  EXPECT_EQ(EndProgram(absl::OkStatus()), 0);
  testing::internal::CaptureStderr();
  EXPECT_EQ(EndProgram(absl::NotFoundError("no such file")), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "error: no such file\n");
}

void PrintToAFullDisk(const std::string& text) {
  dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
  std::cout << text;
  _exit(EndProgram(absl::OkStatus()));
}

TEST(EndProgramTest, OutputThatIsLostIsAnError) {
  constexpr char kError[] = "^error: the output cannot be written; is its disk full\\?\n$";
  EXPECT_EXIT(PrintToAFullDisk("a line\n"), ExitedWithCode(1), kError);
  EXPECT_EXIT(PrintToAFullDisk(std::string(1 << 20, 'x')), ExitedWithCode(1), kError);
}

}  // namespace
}  // namespace spion
