// Files for readers that want one: in memory, so that a fuzzer writes thousands a second.
//
//   static InputFile& file = *new InputFile;
//   file.Write(bytes);
//   LoadCheckpoint(file.path());
//
//   static InputFolder& folder = *new InputFolder;
//   folder.Write("basic_train.tsv", bytes);
#ifndef TOOLS_FUZZ_INPUT_FILE_H_
#define TOOLS_FUZZ_INPUT_FILE_H_

#include <map>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace spion {

/// A file without a name, with a path all the same.
class InputFile {
 public:
  InputFile();
  /// Replaces the content.
  void Write(absl::string_view bytes);
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

/// A folder in TMPDIR, which tools/fuzz/run.py puts into memory. Removed when the program ends by
/// itself.
class InputFolder {
 public:
  InputFolder();
  /// Replaces the file of that name, which may be below folders.
  void Write(absl::string_view name, absl::string_view bytes) const;
  /// Has the folder of that name hold files of these names and no others, each with these bytes,
  /// which are the same at each call: what is there stays, as most of it does from input to input.
  void Fill(absl::string_view name, const std::set<std::string>& files, absl::string_view bytes);
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::map<std::string, std::set<std::string>> filled_;  // by the folder's name
};

}  // namespace spion

#endif  // TOOLS_FUZZ_INPUT_FILE_H_
