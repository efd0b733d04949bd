#include "spion/base/read_file.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "spion/base/status.h"

namespace spion {
namespace {

constexpr size_t kPartBytes = size_t{1} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

absl::Status SystemError(int error, const std::string& path, absl::string_view what) {
  return absl::ErrnoToStatus(error, absl::StrCat(path, " cannot be ", what));
}

absl::StatusOr<OpenFile> Open(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat(path, " is missing"));
  }
  if (error) return SystemError(error.value(), path, "read");
  if (!std::filesystem::is_regular_file(status)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, std::filesystem::is_directory(status) ? " is a folder" : " is no file",
                     ", a file was expected"));
  }
  OpenFile file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return SystemError(errno, path, "opened");
  return file;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  ASSIGN_OR_RETURN(const OpenFile file, Open(path));
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return SystemError(error.value(), path, "read");
  std::string bytes(size, '\0');
  const size_t got = std::fread(bytes.data(), 1, bytes.size(), file.get());
  if (std::ferror(file.get())) return SystemError(errno, path, "read");
  bytes.resize(got);  // Less than `size` if someone cut the file in between.
  return bytes;
}

absl::Status ReadFileInParts(const std::string& path,
                             absl::FunctionRef<absl::Status(absl::string_view part)> take) {
  ASSIGN_OR_RETURN(const OpenFile file, Open(path));
  std::string part(kPartBytes, '\0');
  for (;;) {
    const size_t got = std::fread(part.data(), 1, part.size(), file.get());
    if (std::ferror(file.get())) return SystemError(errno, path, "read");
    if (got == 0) return absl::OkStatus();
    RETURN_IF_ERROR(take(absl::string_view(part).substr(0, got)));
  }
}

}  // namespace spion
