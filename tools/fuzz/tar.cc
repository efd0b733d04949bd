// A tar archive, in pieces. The first byte says how long they are.
#include "spion/data/formats/tar.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr size_t kMostBytes = 5000;
  absl::string_view archive(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t piece_bytes = 1 + size_t{8} * data[0];
  std::string content;
  spion::TarReader tar([&](absl::string_view name) -> spion::TarReader::Wanted {
    return {.content = name.size() % 4 == 3 ? nullptr : &content, .most_bytes = kMostBytes};
  });
  while (!archive.empty()) {
    if (!tar.Take(archive.substr(0, piece_bytes)).ok()) return 0;
    if (content.size() > kMostBytes) std::abort();
    archive.remove_prefix(std::min(piece_bytes, archive.size()));
  }
  (void)tar.Finish();
  return 0;
}
