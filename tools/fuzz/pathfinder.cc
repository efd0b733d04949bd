// A metadata file of Pathfinder, a .npy file or lines of text.
#include <cstddef>
#include <cstdint>

#include "spion/data/pathfinder_files.h"
#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& folder = *new spion::InputFolder;
  folder.Write("curv_contour_length_14/metadata/0.npy",
               {reinterpret_cast<const char*>(data), size});
  (void)spion::ReadPathfinderIndex(folder.path());
  return 0;
}
