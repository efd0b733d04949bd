// A .npy file of strings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spion/data/formats/npy_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!spion::IsNpy(bytes)) return 0;
  const absl::StatusOr<std::string> text = spion::NpyText(bytes);
  if (text.ok() && text->size() > 2 * size) std::abort();
  return 0;
}
