#include "spion/base/shell_word.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace spion {
namespace {

// What a shell takes the words for, each between brackets, behind a first one: for none at all
// printf would say what it says for an empty one.
std::string ByShell(const std::string& words) {
  const std::string command = absl::StrCat("printf '[%s]' first ", words);
  std::FILE* shell = popen(command.c_str(), "r");
  std::string said;
  for (int byte = std::fgetc(shell); byte != EOF; byte = std::fgetc(shell)) {
    said += static_cast<char>(byte);
  }
  EXPECT_EQ(pclose(shell), 0) << command;
  return said;
}

TEST(ShellWordTest, IsOneWordToAShell) {
  for (const char* text : {"/results/image_cf.1", "", "sp ace", "it's", "$HOME", "a;b", "*", "~/a",
                           "back\\slash", "\"", "r\xE9sultats", "line\nbreak", "#", "a&b"}) {
    EXPECT_EQ(ByShell(ShellWord(text)), absl::StrCat("[first][", text, "]"));
  }
}

TEST(ShellWordTest, LeavesPlainTextAsItIs) {
  EXPECT_EQ(ShellWord("--out_dir=/a-b/c_d.1,e:f+g@h%i"), "--out_dir=/a-b/c_d.1,e:f+g@h%i");
}

}  // namespace
}  // namespace spion
