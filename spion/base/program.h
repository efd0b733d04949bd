// How a program begins and ends.
//
//   int main(int argc, char** argv) {
//     spion::BeginProgram();
//     return spion::EndProgram(Run({argv + 1, argv + argc}));
//   }
#ifndef SPION_BASE_PROGRAM_H_
#define SPION_BASE_PROGRAM_H_

#include "absl/status/status.h"

namespace spion {

/// Makes of two surprises errors that are handled. Of stdin, stdout and stderr each that whoever
/// started the program has closed is /dev/null from here on: else the next file that is opened
/// would have its number, and what is printed. A file that grows beyond `ulimit -f` is an error of
/// its write (EFBIG), not a signal that kills.
void BeginProgram();

/// The exit code: 0, or 1 and a line on stderr (fail.h) after an error, or where what std::cout was
/// given cannot be written, as on a full disk.
int EndProgram(const absl::Status& status);

}  // namespace spion

#endif  // SPION_BASE_PROGRAM_H_
