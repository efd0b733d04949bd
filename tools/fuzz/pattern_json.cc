// A block pattern as JSON. What is read must be the same when it is written and read again.
#include "spion/pattern/pattern_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "spion/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<nlohmann::json> json =
      spion::ParseJson({reinterpret_cast<const char*>(data), size});
  if (!json.ok()) return 0;
  const absl::StatusOr<spion::BlockPattern> pattern = spion::PatternFromJson(*json);
  if (!pattern.ok()) return 0;
  const absl::StatusOr<spion::BlockPattern> again =
      spion::PatternFromJson(spion::PatternToJson(*pattern));
  if (!again.ok() || !(*again == *pattern)) std::abort();
  return 0;
}
