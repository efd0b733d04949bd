#include "spion/base/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "spion/base/fail.h"

namespace spion {

void BeginProgram() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // What is opened has the lowest free number, which is this one.
    if (fcntl(number, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

int EndProgram(const absl::Status& status) {
  if (!status.ok()) return Fail(status.message());
  std::cout.flush();
  return std::cout ? 0 : Fail("the output cannot be written; is its disk full?");
}

}  // namespace spion
