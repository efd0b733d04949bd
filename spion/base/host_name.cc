#include "spion/base/host_name.h"

#include <unistd.h>

#include <array>

#include "spion/base/utf8.h"

namespace spion {

std::string HostName() {
  constexpr size_t kLongest = 256;
  std::array<char, kLongest> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? ToUtf8(name.data()) : "";
}

}  // namespace spion
