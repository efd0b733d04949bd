// The names in a folder of IMDb, one a line. The first byte says how many reviews are expected.
#include "spion/data/imdb.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& folder = *[] {
    auto* made = new spion::InputFolder;
    for (const char* name : {"aclImdb/train/pos", "aclImdb/test/neg", "aclImdb/test/pos"}) {
      for (int id = 0; id < 4; ++id) made->Write(absl::StrCat(name, "/", id, "_1.txt"), "good");
    }
    return made;
  }();
  if (size == 0) return 0;
  const absl::string_view names(reinterpret_cast<const char*>(data + 1), size - 1);
  std::set<std::string> written;
  for (const absl::string_view name : absl::StrSplit(names, '\n', absl::SkipEmpty())) {
    const bool is_name = name.size() < 256 && name != "." && name != ".." &&
                         name.find_first_of(absl::string_view("/\0", 2)) == name.npos;
    if (is_name && written.size() < 20) written.emplace(name);
  }
  folder.Fill("aclImdb/train/neg", written, "bad");
  const auto imdb = spion::internal::ReadImdbFolders(folder.path(), 1 + data[0] % 4);
  if (imdb.ok() && imdb->train.examples() != imdb->test.examples()) std::abort();
  return 0;
}
