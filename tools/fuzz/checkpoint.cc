// A checkpoint: a safetensors file with SPION's metadata.
#include "spion/train/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& file = *new spion::InputFile;
  file.Write({reinterpret_cast<const char*>(data), size});
  const auto checkpoint = spion::LoadCheckpoint(file.path());
  if (!checkpoint.ok()) return 0;
  size_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint->weights) bytes += tensor.nbytes();
  if (bytes > size) std::abort();
  const bool is_sparse = checkpoint->info.phase == spion::Phase::kSparse;
  if (is_sparse == checkpoint->info.patterns.empty()) std::abort();
  return 0;
}
