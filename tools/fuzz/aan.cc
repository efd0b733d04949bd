// Lines of a file of AAN.
#include "spion/data/aan.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& folder = *[] {
    const auto* made = new spion::InputFolder;
    made->Write("new_aan_pairs.eval.tsv", "1\t\t\ta\tb\n");
    made->Write("new_aan_pairs.test.tsv", "0\t\t\ta\tb");
    return made;
  }();
  folder.Write("new_aan_pairs.train.tsv", {reinterpret_cast<const char*>(data), size});
  const auto aan = spion::ReadAan(folder.path());
  if (!aan.ok()) return 0;
  // The shortest pair is "1\t\t\ta\tb".
  if (aan->train.examples() > static_cast<int64_t>(size / 7)) std::abort();
  return 0;
}
