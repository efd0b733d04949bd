// A picture of Pathfinder.
#include "spion/data/formats/png.h"

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> pixels(32 * 32);
  (void)spion::DecodeGreyPng({reinterpret_cast<const char*>(data), size}, 32, 32,
                             absl::MakeSpan(pixels));
  return 0;
}
