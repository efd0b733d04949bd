#include "spion/data/load_error.h"

#include "absl/strings/str_cat.h"

namespace spion {

absl::Status AsDamage(const absl::Status& error) {
  if (!absl::IsNotFound(error)) return error;
  return absl::DataLossError(error.message());
}

absl::Status WithWayOut(const absl::Status& error, absl::string_view way_out) {
  return absl::Status(error.code(), absl::StrCat(error.message(), ". ", way_out, "."));
}

}  // namespace spion
