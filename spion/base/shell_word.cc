#include "spion/base/shell_word.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace spion {

std::string ShellWord(absl::string_view text) {
  constexpr absl::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./,:=+@%";
  const bool is_plain = !text.empty() && text.find_first_not_of(kPlain) == absl::string_view::npos;
  if (is_plain) return std::string(text);
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace spion
