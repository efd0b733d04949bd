// A folder that is held open, and where a file is: by its path, or by its name in such a folder.
//
//   ASSIGN_OR_RETURN(const Folder folder, Folder::Open("results/image_cf_seed1001"));
//   RETURN_IF_ERROR(WriteFileAtomically(folder.File("summary.json"), text));   // file.h
//   RETURN_IF_ERROR(WriteFileAtomically("elsewhere/summary.json", text));
//
// A file of an open folder is found there whatever becomes of the folder's path: renamed, it is
// still this folder, and another one in its place is not.
#ifndef SPION_BASE_FOLDER_H_
#define SPION_BASE_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/base/descriptor.h"

namespace spion {

/// Where a file is, there or not.
class FilePlace {
 public:
  // NOLINTBEGIN(google-explicit-constructor): most files are known by their paths.
  FilePlace(std::string path) : name_(std::move(path)) {}
  FilePlace(const char* path) : name_(path) {}
  // NOLINTEND(google-explicit-constructor)

  /// What openat() and its like take: the folder, open as long as this lives, and the name in it.
  int folder() const;
  const std::string& name() const { return name_; }
  /// For messages.
  std::string path() const;
  /// The file beside it whose name goes on with `suffix`.
  FilePlace WithSuffix(absl::string_view suffix) const;

 private:
  friend class Folder;
  struct OpenFolder {
    Descriptor descriptor;
    std::string path;
  };
  FilePlace(std::shared_ptr<const OpenFolder> folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}

  std::shared_ptr<const OpenFolder> folder_;  // null: the name is a path
  std::string name_;
};

class Folder {
 public:
  /// Errors: the system's, naming the folder.
  static absl::StatusOr<Folder> Open(const std::string& path);

  /// As it was opened.
  const std::string& path() const { return folder_->path; }
  FilePlace File(absl::string_view name) const { return {folder_, std::string(name)}; }

  struct Entry {
    std::string name;
    bool is_folder = false;  // a symbolic link is none
  };
  /// What is in it, in alphabetical order. Errors: the system's, naming the folder.
  absl::StatusOr<std::vector<Entry>> Entries() const;
  /// Whether its path still leads to it.
  bool IsInPlace() const;

 private:
  explicit Folder(std::shared_ptr<const FilePlace::OpenFolder> folder)
      : folder_(std::move(folder)) {}

  std::shared_ptr<const FilePlace::OpenFolder> folder_;
};

}  // namespace spion

#endif  // SPION_BASE_FOLDER_H_
