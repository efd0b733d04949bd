// Commands in messages, for who copies them into a shell.
#ifndef SPION_BASE_SHELL_WORD_H_
#define SPION_BASE_SHELL_WORD_H_

#include <string>

#include "absl/strings/string_view.h"

namespace spion {

/// `text` as one word of a POSIX shell's command: in quotes where a shell would read it otherwise.
std::string ShellWord(absl::string_view text);

}  // namespace spion

#endif  // SPION_BASE_SHELL_WORD_H_
