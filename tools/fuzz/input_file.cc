#include "tools/fuzz/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"

namespace spion {
namespace {

/// Nothing that a fuzzer could go on without.
void Need(bool done, const char* what) {
  if (done) return;
  std::cerr << "cannot " << what << std::endl;
  std::_Exit(1);
}

void Replace(int descriptor, absl::string_view bytes) {
  Need(ftruncate(descriptor, 0) == 0 &&
           pwrite(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
       "write the input's file");
}

// Removed at exit.
std::vector<std::string>& Folders() {
  static auto& folders = *new std::vector<std::string>;
  return folders;
}

}  // namespace

InputFile::InputFile()
    : descriptor_(memfd_create("input", MFD_CLOEXEC)),
      path_(absl::StrCat("/proc/self/fd/", descriptor_)) {
  Need(descriptor_ >= 0, "make a file in memory");
}

void InputFile::Write(absl::string_view bytes) { Replace(descriptor_, bytes); }

InputFolder::InputFolder() : path_(std::filesystem::temp_directory_path() / "fuzz_XXXXXX") {
  Need(mkdtemp(path_.data()) != nullptr, "make a folder");
  if (Folders().empty()) {
    std::atexit([] {
      for (const std::string& folder : Folders()) std::filesystem::remove_all(folder);
    });
  }
  Folders().push_back(path_);
}

void InputFolder::Write(absl::string_view name, absl::string_view bytes) const {
  const std::string path = absl::StrCat(path_, "/", name);
  int descriptor = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    descriptor = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  }
  Need(descriptor >= 0, "make the input's file");
  Replace(descriptor, bytes);
  close(descriptor);
}

void InputFolder::Fill(absl::string_view name, const std::set<std::string>& files,
                       absl::string_view bytes) {
  const std::string folder = absl::StrCat(path_, "/", name);
  const auto [filled, is_first] = filled_.try_emplace(std::string(name));
  if (is_first) std::filesystem::create_directories(folder);
  std::set<std::string>& there = filled->second;
  for (const std::string& file : there) {
    if (files.count(file) == 0) unlink(absl::StrCat(folder, "/", file).c_str());
  }
  for (const std::string& file : files) {
    if (there.count(file) == 0) Write(absl::StrCat(name, "/", file), bytes);
  }
  there = files;
}

}  // namespace spion
