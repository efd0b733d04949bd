// The state of a training that is to go on.
#include "spion/train/training_state.h"

#include <cstddef>
#include <cstdint>

#include "tools/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& file = *new spion::InputFile;
  file.Write({reinterpret_cast<const char*>(data), size});
  const auto state = spion::LoadState(file.path());
  if (!state.ok()) return 0;
  for (const at::ScalarType type : {at::kFloat, at::kLong, at::kByte}) (void)state->Get("a", type);
  return 0;
}
