#include "spion/base/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace spion {
namespace {

absl::Status CannotBeRead(const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat("the folder ", path, " cannot be read"));
}

}  // namespace

int FilePlace::folder() const {
  return folder_ == nullptr ? AT_FDCWD : folder_->descriptor.number();
}

std::string FilePlace::path() const {
  return folder_ == nullptr ? name_ : absl::StrCat(folder_->path, "/", name_);
}

FilePlace FilePlace::WithSuffix(absl::string_view suffix) const {
  return {folder_, absl::StrCat(name_, suffix)};
}

absl::StatusOr<Folder> Folder::Open(const std::string& path) {
  Descriptor descriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.number() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("the folder ", path, " cannot be opened"));
  }
  return Folder(std::make_shared<FilePlace::OpenFolder>(
      FilePlace::OpenFolder{.descriptor = std::move(descriptor), .path = path}));
}

absl::StatusOr<std::vector<Folder::Entry>> Folder::Entries() const {
  // A descriptor of its own: reading moves its position.
  const int again = openat(folder_->descriptor.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return CannotBeRead(path());
  DIR* stream = fdopendir(again);
  if (stream == nullptr) {
    close(again);
    return CannotBeRead(path());
  }
  const auto closer = absl::MakeCleanup([stream] { closedir(stream); });
  std::vector<Entry> entries;
  errno = 0;
  while (const dirent* found = readdir(stream)) {
    const std::string name = found->d_name;
    struct stat status {};
    const bool is_folder =
        fstatat(again, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
    if (name != "." && name != "..") entries.push_back({name, is_folder});
    errno = 0;
  }
  if (errno != 0) return CannotBeRead(path());
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

bool Folder::IsInPlace() const {
  struct stat here {};
  struct stat there {};
  return fstat(folder_->descriptor.number(), &here) == 0 && stat(path().c_str(), &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

}  // namespace spion
